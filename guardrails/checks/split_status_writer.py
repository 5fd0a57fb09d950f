"""split-status-writer: two processes that write one state and overtake each other."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.failure import TwoWriters
from guardrails.finding import Finding, Unsure

RULE = "split-status-writer"
FIX = "Write only `queued` before the hand-over, and let the job write every later state."


def check(two: TwoWriters) -> Iterator[Finding | Unsure]:
    """Speaks where the hand-over and the job write the same later state of the same thing."""
    if two.hidden:
        yield unsure(two, RULE, f"`{two.written}` may be a state that job `{two.target}` writes, too")
        return
    who = two.scope.title[:1].upper() + two.scope.title[1:]
    message = (
        f"{who} hands work to job `{two.target}` and sets `{two.status}` to `{two.written}` itself, which the job does, too: "
        "whoever comes last wins, and a job that never started looks as if it had."
    )
    yield finding(two, RULE, message, FIX, related=(two.job_writes,))
