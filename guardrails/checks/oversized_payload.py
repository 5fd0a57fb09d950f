"""oversized-payload: a queue's message is no place for a file."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.payload import Handover
from guardrails.finding import Finding

RULE = "oversized-payload"


def check(handover: Handover) -> Iterator[Finding]:
    """One finding an enqueue, at the first such argument."""
    if handover.bulk:
        first = handover.bulk[0]
        message = (
            f"Job `{handover.target}` is handed {first.what} (`{first.text}`): brokers keep messages in memory and refuse large ones, "
            "and each retry sends it again."
        )
        fix = "Store it (a file, an object store, a row) and pass its path or key."
        yield finding(handover, RULE, message, fix, subject=f"{handover.target}:bulk", related=first.evidence)
