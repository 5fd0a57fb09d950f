"""swallowed-retry: the exception that tells the framework to try again, or to stop, never reaches it."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.failure import EatenSignal
from guardrails.finding import Confidence, Finding, Unsure

RULE = "swallowed-retry"
_HURTS = {
    "retry": "so the retry that it asked for never happens and the job counts as done",
    "timeout": "so the time limit comes once, is caught like any error, and the loop goes on without one",
    "cancel": "so whoever stops the job (a time limit, a cancellation, a shutdown) is not heard and the job goes on",
}


def check(eaten: EatenSignal) -> Iterator[Finding | Unsure]:
    """Speaks for every clause that takes a signal and does not give it back."""
    if eaten.hidden:
        yield unsure(
            eaten, RULE, f"job `{eaten.worker}` asks for a retry with options that were not read, inside a clause that would take it"
        )
        return
    hurts = _HURTS[eaten.kind] if eaten.by is None or eaten.kind == "retry" else "so what it asked of the framework never happens"
    message = f"Job `{eaten.worker}` catches {eaten.caught} and with it `{eaten.signal}`, {hurts}."
    fix = f"Put `except {eaten.signal}: raise` before this clause, or let the clause raise."
    soft = eaten.kind == "timeout" and eaten.by is None
    related = (eaten.by,) if eaten.by is not None else ()
    confidence: Confidence | None = None if not soft else "low" if eaten.brief else "medium"
    yield finding(eaten, RULE, message, fix, severity="warning" if soft else None, confidence=confidence, related=related)
