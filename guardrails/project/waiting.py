"""Calls that wait for somebody else, with the limit that holds for each."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import NEVER, never_ends
from guardrails.facts.waiting import Deadline, Wait
from guardrails.frameworks.sightings import CallSeen, SpawnSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Made, Options
from guardrails.names.values import Home
from guardrails.outline import Literal_, dotted
from guardrails.place import Place
from guardrails.project.clauses import is_debugging
from guardrails.project.ground import Ground
from guardrails.project.limits import Limits, Waited
from guardrails.project.repairs import Repairs


class Waiting:
    """Makes a fact of each call that waits, and of each deadline around such calls."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._limits = Limits(ground)
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
        return Wait(
            **at, kind=form.kind, call=call, limit=waited.limit, fix=form.fix, cause=waited.cause, made=waited.made,
            inferred=waited.inferred, weak=form.weak,
            repair=None if waited.inferred else self._repairs.wait(seen.made, form, waited.limit),
            debugging=is_debugging(self._ground.resolver.definition(seen.made.home), seen.site),
        )  # fmt: skip

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
