"""lost-job-status: work that says for ever that it runs."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.failure import RunningStatus
from guardrails.finding import Finding, Related, Unsure

RULE = "lost-job-status"
FIX = "Write the failed state in an `except` that raises again (or in a `finally` or context manager) around everything after this line."


def check(status: RunningStatus) -> Iterator[Finding | Unsure]:
    """Speaks where the job writes that it runs and how it ended, and nobody writes that it failed."""
    if status.failed is not None or status.finished is None:
        return
    if status.hidden:
        yield unsure(status, RULE, f"job `{status.worker}` says that it runs; something that was not read may write how it ended")
        return
    message = (
        f"Job `{status.worker}` sets `{status.status}` to `{status.written}` and nothing in it, below it or beside it sets it to failed: "
        f"when `{status.risk}` raises, whoever polls sees it running for ever."
    )
    related = (Related(status.finished, "only the happy end is written"),)
    yield finding(status, RULE, message, FIX, related=related)
