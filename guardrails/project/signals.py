"""Except clauses that take an exception by which the framework is told something: try again, the time is up, stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from guardrails.facts.failure import EatenSignal
from guardrails.finding import Related
from guardrails.frameworks.forms.failing import SignalForm
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import JobSeen
from guardrails.names.code import last_word
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Made, Options
from guardrails.names.values import Home, names_in
from guardrails.outline import Call, Expr, Function, Group, Site, Step, dotted, enclosing
from guardrails.place import Place
from guardrails.project.clauses import Caught, Clause, beside, clauses, is_looped, sites_in, steps_in
from guardrails.project.ground import Ground
from guardrails.project.handled import is_idle

# A clause that takes a signal, where the signal is raised (None: at any time), and whether it may not be raised after all.
Eaten: TypeAlias = tuple[Clause, Related | None, bool]


class Signals:
    """Makes a fact of each clause that takes a signal and does not give it back."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._caught = Caught(ground.resolver)
        self._handled, self._work = ground.handled, ground.work
        self._everywhere = [(model, form) for model in ground.catalogue.models if not model.jobs for form in model.signals]

    def facts(self) -> Iterator[EatenSignal]:
        """A fact a clause and signal."""
        for here, seen in self._work.bodies(self._ground.jobs):
            yield from self._in(here, seen)

    def _in(self, home: Home, seen: JobSeen) -> Iterator[EatenSignal]:
        function = self._ground.resolver.definition(home)
        found = list(clauses(home, function))
        if not found:
            return
        told: set[int] = set()
        for model, form in (*((seen.model, form) for form in seen.model.signals), *self._everywhere):
            raised = not form.outside and form.kind != "timeout"
            eaten = self._raises(home, function, found, form) if raised else self._stops(function, found, form, seen)
            for clause, by, hidden in eaten:
                if clause.block not in told:
                    told.add(clause.block)
                    fact = self._fact(model, clause, form, seen, by)
                    yield msgspec.structs.replace(fact, hidden=hidden)

    def _fact(self, model: Model, clause: Clause, form: SignalForm, seen: JobSeen, by: Related | None) -> EatenSignal:
        at = self._ground.standing(model, clause.home, Place(clause.home.file, clause.catch.start, clause.catch.end))
        signal = form.exception.rpartition(".")[2]
        words, brief = self._caught.words(clause), self._is_brief(clause)
        return EatenSignal(**at, worker=seen.name, signal=signal, kind=form.kind, caught=words, by=by, brief=brief)

    def _is_brief(self, clause: Clause) -> bool:
        """What is tried takes a moment: it looks things up and counts, or asks hooks beside the work proper."""
        function = self._ground.resolver.definition(clause.home)
        own = {name for step in function.steps if isinstance(step.value, Group) for one in step.targets for name in names_in(one)}
        inside = [site for site in sites_in(function, clause.tries) if dotted(site.call.func).rpartition(".")[0] not in own]
        serious = [site for site in inside if self._does(clause.home, function, site)]
        rounds = {name for step in function.steps if step.kind == "iterate" for one in step.targets for name in names_in(one)}
        beside = len(self._work.serious(clause.home, function)) > len(serious)
        return all(dotted(site.call.func) in rounds for site in serious) and (not serious or beside)

    def _does(self, home: Home, function: Function, site: Site) -> bool:
        """The call is more than a look, a log line or a number."""
        idle = self._handled.is_log(home, site) or is_idle(dotted(site.call.func))
        return not idle and (function.steps[site.step].kind == "expr" or self._work.is_work(home, function, site))

    def _raises(self, home: Home, function: Function, found: list[Clause], form: SignalForm) -> Iterator[Eaten]:
        """The clauses around each place that raises the signal, up to one that takes it."""
        for step, expr, hidden in self._raised(home, function, form):
            for block in enclosing(function, step.block):
                tries = next((index for index, one in enumerate(function.blocks) if one is block), -1)
                taking = [one for one in found if one.tries == tries and self._takes(one, form)] if block.kind == "try" else []
                if taking and not self._gives_back(taking[0], function):
                    words = dotted(expr).removesuffix("()") or "raise"
                    yield taking[0], Related(Place(home.file, expr.start, expr.end), f"`{words}` raises it here"), hidden
                    break

    def _raised(self, home: Home, function: Function, form: SignalForm) -> Iterator[tuple[Step, Expr, bool]]:
        """Where the signal is raised; whether that cannot be told for sure."""
        for site in function.sites:
            if dotted(site.call.func) in form.raised_by and (raises := self._does_raise(home, site.call, form)) != "no":
                yield function.steps[site.step], site.call, raises == "maybe"
        for step in function.steps:
            if step.kind == "raise" and step.value is not None and self._is(home, step.value, form):
                yield step, step.value, False

    def _is(self, home: Home, raised: Expr, form: SignalForm) -> bool:
        expr = raised.func if isinstance(raised, Call) else raised
        if dotted(expr).rpartition(".")[2] != form.exception.rpartition(".")[2]:
            return False
        value = self._ground.resolver.resolve(home.file, home.function, expr)
        return value is not None and value.path in (form.exception, *form.bases)

    def _does_raise(self, home: Home, call: Call, form: SignalForm) -> Literal["yes", "no", "maybe"]:
        """An argument may keep the call from raising."""
        for name, value in form.unless.items():
            answer = Options(self._ground.resolver, [Made(call, home)]).get(name)
            constant = evaluate(self._ground.resolver, answer) if isinstance(answer, Hit) else None
            if answer is not None and constant is None:
                return "maybe"
            if constant is not None and constant.value == value:
                return "no"
        return "yes"

    def _stops(self, function: Function, found: list[Clause], form: SignalForm, seen: JobSeen) -> Iterator[Eaten]:
        """The clauses that take a stop sign which may come at any time: bare ones, and broad ones in a loop, which then goes on."""
        if form.kind == "cancel" and not function.is_async:
            return
        if (form.arguments or form.settings) and not self._limited(form, seen):
            return
        for clause in found:
            goes_on = is_looped(function, clause.tries) and function.blocks[clause.block].ends not in ("return", "break", "raise")
            counts = form.outside or goes_on
            if not counts or not self._takes(clause, form) or self._gives_back(clause, function):
                continue
            if any(self._takes(one, form) for one in beside(found, clause)) or self._names(clause, form):
                continue
            waits = any(site.use == "awaited" for site in sites_in(function, clause.tries))
            if waits or (not function.is_async and any(not self._handled.is_log(clause.home, s) for s in sites_in(function, clause.tries))):
                yield clause, None, False
                if not form.outside:  # one loop without a limit is enough
                    return

    def _limited(self, form: SignalForm, seen: JobSeen) -> bool:
        return isinstance(seen.options.first(form.arguments), Hit) or any(self._ground.code.words.holding(key) for key in form.settings)

    def _names(self, clause: Clause, form: SignalForm) -> bool:
        """The clause names the signal itself: whoever wrote it meant it."""
        return form.exception in self._caught.symbols(clause)

    def _takes(self, clause: Clause, form: SignalForm) -> bool:
        breadth = self._caught.breadth(clause)
        if breadth == "all" or (breadth == "broad" and not form.outside):
            return True
        return bool({form.exception, *form.bases} & set(self._caught.symbols(clause)))

    def _gives_back(self, clause: Clause, function: Function) -> bool:
        if self._handled.outcome(clause, function) in ("raises", "retries"):
            return True
        leaves = function.blocks[clause.block].ends in ("return", "break")
        asks = any(last_word(site) == "isinstance" for site in sites_in(function, clause.block))
        return asks and (leaves or any(step.kind in ("break", "return") for step in steps_in(function, clause.block)))
