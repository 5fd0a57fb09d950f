"""Calls and loops that wait for another job's result."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import NEVER, Absent, Known, Setting, Unknown
from guardrails.facts.results import JobWait
from guardrails.frameworks.forms.results import ResultForm
from guardrails.frameworks.forms.work import Scalar
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import CallSeen, EnqueueSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Options
from guardrails.names.values import Home
from guardrails.outline import Attr, Block, Call, Expr, Function, Literal_, Ref, dotted, enclosing, is_within, receiver, walk
from guardrails.project.ground import Ground

_SLEEPS = frozenset(("sleep", "wait"))


class Results:
    """Makes a fact of each place that waits for another job."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def ends(self) -> Iterator[Home]:
        """Whatever waits for a job."""
        yield from (seen.made.home for seen in self._ground.calls("results") if self._waits(seen))
        yield from (home for _, home, _ in self._attributes())

    def facts(self) -> Iterator[JobWait]:
        """A fact a call or loop; what only lifts the ban on waiting counts where nothing else is seen to wait."""
        waiting = [seen for seen in self._ground.calls("results") if self._waits(seen)]
        told = {seen.made.home for seen in waiting if not seen.form.permits}
        frameworks = {job.model.framework for job in self._ground.jobs.values()}
        for seen in waiting:
            if not (seen.form.permits and seen.made.home in told) and not (seen.path == "" and seen.model.framework not in frameworks):
                yield self._fact(seen)
        for model, home, expr in self._attributes():
            how = f"reads `{dotted(expr)}` again and again until another job is done"
            yield JobWait(**self._ground.at(model, home, expr), call=dotted(expr), how=how, limit=Absent(NEVER), fix=self._fix(model))

    @staticmethod
    def _fix(model: Model) -> str:
        return next((form.fix for form in model.results if form.attribute), "")

    def _attributes(self) -> Iterator[tuple[Model, Home, Expr]]:
        """Attributes of handed-over jobs in the heads of loops that sleep between."""
        forms = [(model, form) for model in self._ground.catalogue.models for form in model.results if form.attribute]
        named = {form.attribute: model for model, form in forms}
        words = {path.rpartition(".")[2] for path in named}
        for home in sorted({seen.made.home for seen in self._ground.sightings(EnqueueSeen) if seen.model in named.values()}):
            function = self._ground.resolver.definition(home)
            for index, block in enumerate(function.blocks):
                test = function.steps[block.opened_by].value if block.kind == "loop" and block.opened_by >= 0 else None
                for expr in walk(test) if test is not None and _sleeps(function, index) else ():
                    if isinstance(expr, Ref | Attr) and expr.name.rpartition(".")[2] in words:
                        value = self._ground.resolver.resolve(home.file, home.function, expr)
                        path = self._without_job(value.path) if value is not None else ""
                        if path in named:
                            yield named[path], home, expr

    def _without_job(self, path: str) -> str:
        """`delay().is_finished` of what handing over a job of the project gave; any other path as it is."""
        symbol = path.partition("()")[0].rpartition(".")[0]
        return path.removeprefix(f"{symbol}.") if symbol in self._ground.jobs else path

    def _fact(self, seen: CallSeen) -> JobWait:
        at = self._ground.at(seen.model, seen.made.home, seen.made.call)
        call = _short(dotted(seen.made.call.func))
        how = f"asks `{call}` again and again until another job is done" if seen.form.asks else f"waits for another job in `{call}`"
        how = f"lifts the ban on waiting for other jobs (`{call}`)" if seen.form.permits else how
        return JobWait(**at, call=call, how=how, limit=self._limit(seen), fix=seen.form.fix, doubt=self._doubt(seen))

    def _waits(self, seen: CallSeen) -> bool:
        form: ResultForm = seen.form
        if form.asks:
            return self._is_polled(seen)
        options = Options(self._ground.resolver, [seen.made])
        for name, value in form.requires.items():
            answer = options.get(name)
            if answer is None or (isinstance(answer, Hit) and _denies(answer.expr, value)):
                return False
        return not self._was_ready(seen) and not self._is_inline(seen)

    def _is_inline(self, seen: CallSeen) -> bool:
        """What the result comes from did the work in place."""
        base = receiver(seen.made.call.func) if seen.form.inline else None
        value = self._ground.resolver.resolve(seen.made.home.file, seen.made.home.function, base) if base is not None else None
        made = value.made if value is not None else None
        return isinstance(made, Call) and dotted(made.func).rpartition(".")[2] in seen.form.inline

    def _doubt(self, seen: CallSeen) -> str:
        options = Options(self._ground.resolver, [seen.made])
        hidden = any(options.get(name) == "maybe" for name in seen.form.requires)
        return "whether it blocks depends on arguments that were not resolved" if hidden else ""

    def _was_ready(self, seen: CallSeen) -> bool:
        """A condition before the call asked the receiver whether it is done."""
        base = receiver(seen.made.call.func)
        function = self._ground.resolver.definition(seen.made.home)
        asked = {f"{dotted(base)}.{word}" for word in seen.form.ready} if isinstance(base, Ref) else set()
        steps = function.steps[: seen.site.step + 1] if asked else ()
        return any(step.kind == "test" and step.value is not None and any(dotted(e) in asked for e in walk(step.value)) for step in steps)

    def _is_polled(self, seen: CallSeen) -> bool:
        """It stands in the head, or below, of a loop that sleeps between."""
        function = self._ground.resolver.definition(seen.made.home)
        for block in enclosing(function, function.steps[seen.site.step].block):
            if block.kind == "loop" and _sleeps(function, function.blocks.index(block)):
                return True
        return any(
            block.opened_by == seen.site.step and block.kind == "loop" and _sleeps(function, index)
            for index, block in enumerate(function.blocks)
        )

    def _limit(self, seen: CallSeen) -> Setting:
        form: ResultForm = seen.form
        if form.asks:
            return self._loop_limit(seen)
        answer = Options(self._ground.resolver, [seen.made]).first(form.arguments)
        if answer == "maybe":
            return Unknown("its options arrive by an argument that was not resolved")
        if not isinstance(answer, Hit):
            return Absent(NEVER if form.default is None else form.default)
        place = answer.place
        constant = evaluate(self._ground.resolver, answer)
        if constant is None:
            return Unknown("its value is only known when it runs", place, "yes")
        if constant.value in form.never:
            return Known(NEVER, place)
        return Known(constant.value * form.unit if isinstance(constant.value, int | float) else constant.value, place)

    def _loop_limit(self, seen: CallSeen) -> Setting:
        """A loop over a range ends, and so may one that leaves by another way than the job's end."""
        function = self._ground.resolver.definition(seen.made.home)
        step = function.steps[seen.site.step]
        for block in (one for one in enclosing(function, step.block) if one.kind == "loop"):
            return Absent(NEVER) if _is_endless(function, block) else Unknown("the loop has an end of its own", present="yes")
        return Absent(NEVER)


def _denies(expr: Expr, wanted: Scalar) -> bool:
    """A literal argument under which the call does not wait."""
    if not isinstance(expr, Literal_):
        return False
    return expr.value in (0, None) if wanted is None else expr.value != wanted


def _is_endless(function: Function, block: Block) -> bool:
    return function.steps[block.opened_by].kind == "test" if block.opened_by >= 0 else True


def _sleeps(function: Function, block: int) -> bool:
    return any(
        dotted(site.call.func).rpartition(".")[2] in _SLEEPS and is_within(function, function.steps[site.step].block, block)
        for site in function.sites
    )


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"..{text[-58:]}"
