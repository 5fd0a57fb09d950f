"""in-process-schedule: a clock that ticks once in each of several processes."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.flow import Clock
from guardrails.finding import Finding

RULE = "in-process-schedule"


def check(clock: Clock) -> Iterator[Finding]:
    """With less confidence where a setting decides whether the clock runs here."""
    message = f"{clock.what} is a clock in the wrong place: {clock.where}, so every job that it starts runs that many times."
    yield finding(clock, RULE, message, clock.fix, subject=clock.what, confidence="low" if clock.chosen else None, related=clock.shown)
