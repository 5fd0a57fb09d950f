"""incompatible-job-change: messages that wait in the queue cannot be run by the new code."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.change import LostMessage, Why
from guardrails.finding import Confidence, Finding, Unsure

RULE = "incompatible-job-change"

_SAID: dict[Why, tuple[str, str]] = {
    "gone": (
        "`{job}` is gone: messages that are still queued under its name, or that an older release sends, find no job and are lost or fail.",
        "Keep the job, doing nothing or handing on to its successor, until its queue is drained; take it away in a later release.",
    ),
    "renamed": (
        "`{job}` is now queued as `{what}` and no longer as `{was}`: messages that wait under the old name find no job.",
        "Keep the old name (the framework's own name option), or leave a job under it that hands on, until the queue is drained.",
    ),
    "needs": (
        "`{job}` now needs `{what}`: messages that were queued before do not carry it, and fail each time they are run.",
        "Give `{what}` a default, enqueue with it for one release, then require it.",
    ),
    "drops": (
        "`{job}` no longer takes `{what}`: messages that were queued before still carry it, and fail each time they are run.",
        "Accept `{what}` and ignore it until the queue is drained.",
    ),
    "renames": (
        "`{job}` no longer takes `{what}` by that name: messages that were queued before carry it by name and fail each time.",
        "Accept the old name, too, until the queue is drained.",
    ),
    "field": (
        "`{job}` now needs the field `{what}`: messages that were queued before do not have it and are refused.",
        "Give the field a default, send it for one release, then require it.",
    ),
}


def check(lost: LostMessage) -> Iterator[Finding | Unsure]:
    """What nothing in the project sends may still be sent from elsewhere, but less surely."""
    if lost.why == "gone" and not lost.is_sent:
        yield unsure(lost, RULE, f"`{lost.job}` is gone, and nothing in the project sent it: perhaps something else does.")
        return
    message, fix = (text.format(job=lost.job, what=lost.what, was=lost.was) for text in _SAID[lost.why])
    confidence: Confidence | None = None if lost.is_sent else "medium"
    subject = " ".join(filter(None, (lost.job, lost.why, lost.was, lost.what)))
    yield finding(lost, RULE, message, fix, subject=subject, confidence=confidence)
