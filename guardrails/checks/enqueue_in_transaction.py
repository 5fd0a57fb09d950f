"""enqueue-in-transaction: a worker may start before the rows are there, and a rollback does not take the message back."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.flow import EarlyEnqueue
from guardrails.finding import Confidence, Finding

RULE = "enqueue-in-transaction"


def check(enqueue: EarlyEnqueue) -> Iterator[Finding]:
    """What a caller opens is told with the way from there, and with less confidence; least where only a rollback hurts."""
    hurts = "a worker may run it before the commit and not find the rows, and a rollback leaves it queued"
    if enqueue.patient:
        hurts = f"{enqueue.patient}, but a rollback leaves it queued"
    where = f"inside {enqueue.opens}" if not enqueue.way else f"while {enqueue.opens} of a caller is open"
    message = f"`{enqueue.target}` is enqueued {where}: {hurts}."
    related = (enqueue.opened, *enqueue.way)
    confidence: Confidence | None = "low" if enqueue.patient else "medium" if enqueue.way else None
    yield finding(
        enqueue, RULE, message, enqueue.fix, subject=enqueue.target, confidence=confidence, related=related, repair=enqueue.repair
    )
