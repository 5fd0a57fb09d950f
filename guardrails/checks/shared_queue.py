"""shared-queue: a job that takes an hour makes the quick ones behind it wait."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.sharing import SharedQueue
from guardrails.finding import Finding

RULE = "shared-queue"


def check(shared: SharedQueue) -> Iterator[Finding]:
    """One finding a queue and kind."""
    if shared.kind == "limit":
        message = (
            f"`{shared.job}` may take {shared.more:g} s and shares the queue `{shared.queue}` with `{shared.other}`, which may take "
            f"{shared.less:g} s: the quick jobs wait behind the slow ones."
        )
    else:
        message = (
            f"`{shared.job}` is tried again {shared.more:g} times and shares the queue `{shared.queue}` with `{shared.other}`, which is "
            f"tried again {shared.less:g} times: when its peer is down, its retries crowd the others out."
        )
    fix = f"Give `{shared.job}` a queue and workers of its own."
    yield finding(shared, RULE, message, fix, subject=f"{shared.queue}:{shared.kind}", related=shared.related)
