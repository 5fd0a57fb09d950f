"""retry-without-backoff: attempts that follow each other at a constant pace, or at once."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Absent, Known, Unknown, finding, in_effect, never_ends, unsure
from guardrails.facts.retrying import Retry
from guardrails.files import is_aside
from guardrails.finding import Confidence, Finding, Related, Unsure
from guardrails.project import Project

RULE = "retry-without-backoff"
_FEW = 5  # attempts that do no harm where chance scatters them


def check(retry: Retry, project: Project) -> Iterator[Finding | Unsure]:
    """One more attempt needs no backoff; endless ones of a framework or library are another rule's."""
    if isinstance(retry.grows, Unknown):
        if retry.grows.present == "maybe" and retry.jobs:
            yield unsure(retry, RULE, f"`{retry.jobs[0]}` may be retried without backoff: {retry.grows.why}.")
        return
    if in_effect(retry.grows) or retry.until or _is_moot(retry, project.option(RULE, "patience")):
        return
    who, confidence, way = _whose(retry, project)
    if (retry.scattered and _is_few(retry)) or is_aside(retry.place.path) or retry.evenly:
        confidence = "low"
    if who:
        message = f"{who} is tried again {_pace(retry)}: all that failed together comes back together, on a peer that is already down."
        yield finding(retry, RULE, message, retry.paced, subject=retry.how, confidence=confidence, related=way, repair=retry.repair)


def _is_moot(retry: Retry, patience: float) -> bool:
    delay = _seconds(retry)
    turns = retry.errors is not None and retry.errors.waits  # a turn that is waited for, no peer that is down
    endless = retry.kind in ("automatic", "library") and never_ends(retry.attempts)
    return turns or _is_few(retry, 1) or endless or (delay is not None and delay >= patience)


def _is_few(retry: Retry, few: int = _FEW) -> bool:
    attempts = retry.attempts.value if isinstance(retry.attempts, Known) else None
    return isinstance(attempts, int | float) and attempts <= few


def _seconds(retry: Retry) -> float | None:
    value = in_effect(retry.delay)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _pace(retry: Retry) -> str:
    seconds = _seconds(retry)
    if seconds == 0:
        return f"at once (`{retry.how}`)"
    every = f"every {seconds:g} s" if seconds is not None else "after the same delay every time"
    default = f", {retry.title}'s default" if isinstance(retry.delay, Absent) else ""
    return f"{every} (`{retry.how}`{default})"


def _whose(retry: Retry, project: Project) -> tuple[str, Confidence | None, tuple[Related, ...]]:
    """Whose work it is, in words; nothing where no worker code reaches it."""
    if retry.jobs:
        return retry.workers, None, ()
    if found := project.worker_of(retry.scope):
        return found[0], None, found[1]
    lasts = retry.reconnects or retry.kind == "restart"  # who only waits until something is up does so once, at the start
    return (retry.scope.title, "medium" if lasts else "low", ()) if retry.kind in ("loop", "restart") else ("", None, ())
