"""unbounded-retention: finished work that is kept for ever."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Absent, finding
from guardrails.facts.retrying import Retention
from guardrails.finding import Finding

RULE = "unbounded-retention"


def check(retention: Retention) -> Iterator[Finding]:
    """The store grows with every job until it is full."""
    default = f", as {retention.title} does by default" if isinstance(retention.kept, Absent) else ""
    whose = f"of {retention.owner} " if retention.owner != "this store" else "here "
    message = f"The {retention.what} {whose}are kept for ever{default}: the store grows with every job until it is full."
    yield finding(retention, RULE, message, retention.fix, subject=retention.what, confidence="medium" if default else None)
