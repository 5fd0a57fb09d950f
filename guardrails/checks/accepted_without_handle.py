"""accepted-without-handle: work is accepted, and nobody can ask how it went."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.trust import Route
from guardrails.finding import Finding

RULE = "accepted-without-handle"
FIX = "Answer 202 with the job's id and the URL of its status."


def check(route: Route) -> Iterator[Finding]:
    """Speaks where every answer after the enqueue is a constant, and the caller holds no handle of the work already."""
    if route.answer and not route.told and route.public != "it receives events":
        answer = " ".join(route.answer.split())[:60]
        message = (
            f"Route `{route.name}` enqueues `{route.target}` and answers `{answer}`, with no id and no status URL: "
            "the caller cannot learn whether the work was done."
        )
        related = (route.enqueued, *((route.answered,) if route.answered is not None else ()))
        yield finding(route, RULE, message, FIX, subject=f"{route.name}:{route.target}", related=related)
