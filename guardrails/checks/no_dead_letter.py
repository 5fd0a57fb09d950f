"""no-dead-letter: work that failed for good and left nothing to look at."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.failure import DeadEnd
from guardrails.finding import Finding, Unsure

RULE = "no-dead-letter"


def check(end: DeadEnd) -> Iterator[Finding | Unsure]:
    """Silent where a dead letter queue, an error tracker or a hook for failures was found anywhere in the project."""
    if end.kept:
        return
    if end.hidden:
        yield unsure(end, RULE, f"`{end.call}` gets options that were not read; they may keep failed work")
        return
    message = f"`{end.call}` {end.what}, so work that fails for good is gone: nobody can see what it was, or run it again."
    yield finding(end, RULE, message, end.fix, cause=f"{end.framework}:{end.what}", confidence="low" if end.doubtful else None)
