"""Calls that wait for somebody else, with the limit that holds for each."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import NEVER, never_ends
from guardrails.facts.waiting import Deadline, Wait
from guardrails.frameworks.sightings import CallSeen, SpawnSeen
from guardrails.names.code import owner_of
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Made, Options
from guardrails.names.values import Home
from guardrails.outline import Closure, Expr, Function, Literal_, Op, dotted, walk
from guardrails.place import Place
from guardrails.project.clauses import is_debugging, is_rare
from guardrails.project.ground import Ground
from guardrails.project.limits import Limits, Waited
from guardrails.project.programs import Programs
from guardrails.project.repairs import Repairs


class Waiting:
    """Makes a fact of each call that waits, and of each deadline around such calls."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._limits, self._programs = Limits(ground), Programs(ground.resolver)
        self._repairs = Repairs(ground.resolver)

    def ends(self) -> Iterator[Home]:
        """Where a call may wait for ever, if anything runs in the background."""
        if not self._ground.jobs and not any(self._ground.sightings(SpawnSeen)):
            return
        for seen in self._ground.calls("waits"):
            waited = self._limits.of(seen) if not seen.form.weak else None
            if waited is not None and (never_ends(waited.limit) or waited.asks_callers):
                yield seen.made.home

    def facts(self) -> Iterator[Wait | Deadline]:
        """A fact a call."""
        limits = Limits(self._ground, final=True)
        for seen in self._ground.calls("waits"):
            waited = limits.of(seen)
            if waited is not None:
                yield self._wait(seen, waited)
        yield from self._deadlines()

    def _wait(self, seen: CallSeen, waited: Waited) -> Wait:
        form = seen.form
        at = self._ground.at(seen.model, seen.made.home, seen.made.call)
        text = dotted(seen.made.call.func)
        call = text if "." in text else seen.path  # `run` of `from subprocess import run`
        function = self._ground.resolver.definition(seen.made.home)
        return Wait(
            **at, kind=form.kind, call=call, limit=waited.limit, fix=form.fix, cause=waited.cause, made=waited.made,
            inferred=waited.inferred, weak=form.weak or self._programs.is_brief(seen), debugging=is_debugging(function, seen.site),
            rare=is_rare(function, seen.site), streamed=bool(form.output) and self._streams(seen.made, form.output),
            repair=None if waited.inferred else self._repairs.wait(seen.made, form, waited.limit),
        )  # fmt: skip

    def _streams(self, made: Made, output: str) -> bool:
        """A generator among the methods of its object yields what the receiver says: `yield from self.child.stdout`."""
        owner = dotted(made.call.func).rpartition(".")[0]
        functions = self._ground.resolver.part(made.home).functions
        around = owner_of(functions, made.home.function) if owner.startswith("self.") else -1
        methods = (function for function in functions if around >= 0 and function.parent == around)
        return any(_yields_from(functions, method, f"{owner}.{output}") for method in methods)

    def _deadlines(self) -> Iterator[Deadline]:
        for seen in self._ground.calls("deadlines"):
            if self._ends_something(seen.made, seen.form.arguments):
                yield Deadline(**self._ground.standing(seen.model, seen.made.home, self._span(seen)))
        for mark in self._ground.marks("deadlines"):
            function = self._ground.resolver.definition(mark.home)
            if mark.made is None or self._ends_something(mark.made, mark.form.arguments):
                yield Deadline(**self._ground.standing(mark.model, mark.home, Place(mark.home.file, function.start, function.end)))

    def _ends_something(self, made: Made, arguments: tuple[str, ...]) -> bool:
        answer = Options(self._ground.resolver, [made]).first(arguments)
        if not isinstance(answer, Hit):
            return answer == "maybe" or not arguments
        constant = evaluate(self._ground.resolver, answer) if isinstance(answer.expr, Literal_) else None
        return constant is None or (bool(constant.value) and constant.value != NEVER)

    def _span(self, seen: CallSeen) -> Place:
        """What a deadline covers: the `with` that it opens, the rest of the function where it is a statement, else the call itself."""
        home, call = seen.made.home, seen.made.call
        function = self._ground.resolver.definition(home)
        if seen.site.use == "entered":
            blocks = [block for block in function.blocks if block.kind == "with" and block.opened_by == seen.site.step]
            return Place(home.file, blocks[0].start, blocks[0].end) if blocks else Place(home.file, call.start, call.end)
        return Place(home.file, call.start, function.end if seen.site.use == "dropped" else call.end)


def _yields_from(functions: tuple[Function, ...], method: Function, name: str) -> bool:
    """A method is a generator, and reads from what has this name, in a closure perhaps."""
    found = _expressions(method)
    inner = [part for expr in found if isinstance(expr, Closure) for part in _expressions(functions[expr.function])]
    yields = any(isinstance(expr, Op) and expr.op.startswith("yield") for expr in found)
    return yields and any(f"{dotted(expr)}.".startswith(f"{name}.") for expr in (*found, *inner))


def _expressions(function: Function) -> list[Expr]:
    return [expr for step in function.steps if step.value is not None for expr in walk(step.value)]
