"""Calls that take seconds however well they go."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts.effects import WAITS, Slow, is_long
from guardrails.frameworks.forms.effects import SlowForm
from guardrails.frameworks.sightings import CallSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Options
from guardrails.names.values import Home
from guardrails.outline import Literal_, dotted
from guardrails.project.clauses import is_debugging, is_rare
from guardrails.project.ground import Ground
from guardrails.project.limits import Limits


class Slowness:
    """Makes a fact of each call that takes long."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._limits = Limits(ground)

    def ends(self) -> Iterator[Home]:
        """Where a call takes long, or may wait longer than a request should."""
        yield from (seen.made.home for seen in self._ground.calls("slow") if self._is_slow(seen))
        patience = self._ground.option("slow-handler", "patience")
        for seen in self._ground.calls("waits"):
            waited = self._limits.of(seen) if seen.form.kind in WAITS else None
            if waited is not None and is_long(waited.limit, patience):
                yield seen.made.home

    def facts(self) -> Iterator[Slow]:
        """A fact a call."""
        for seen in self._ground.calls("slow"):
            if self._is_slow(seen):
                at = self._ground.at(seen.model, seen.made.home, seen.made.call)
                yield Slow(**at, call=dotted(seen.made.call.func), does=seen.form.does, weak=seen.form.weak, pauses=bool(seen.form.seconds))

    def _is_slow(self, seen: CallSeen) -> bool:
        form: SlowForm = seen.form
        if is_debugging(self._ground.resolver.definition(seen.made.home), seen.site):
            return False
        options = Options(self._ground.resolver, [seen.made])
        for name, value in form.streams.items():
            answer = options.get(name)
            if isinstance(answer, Hit) and not (isinstance(answer.expr, Literal_) and answer.expr.value != value):
                return False
        rare = form.seconds and is_rare(self._ground.resolver.definition(seen.made.home), seen.site)
        return not form.seconds or (not rare and self._takes(options, form) >= form.least)

    def _takes(self, options: Options, form: SlowForm) -> float:
        answer = options.first(form.seconds)
        constant = evaluate(self._ground.resolver, answer) if isinstance(answer, Hit) else None
        value = constant.value if constant is not None else 0.0
        return float(value) if isinstance(value, int | float) else 0.0
