"""unbounded-retry: work that is tried again for ever."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from guardrails.facts import NEVER, Absent, Known, Unknown, Varies, finding, in_effect, never_ends, unsure
from guardrails.facts.retrying import Retry
from guardrails.finding import Confidence, Finding, Related, Unsure
from guardrails.project import Project

RULE = "unbounded-retry"


def check(retry: Retry, project: Project) -> Iterator[Finding | Unsure]:
    """A job's own policy is judged where it stands; a library's retry and a loop where worker code reaches them."""
    who, way = ("", ()) if retry.until else _whose(retry, project)
    if not who:
        return
    if never_ends(retry.attempts):
        message = f"{who} is tried again for ever{_told(retry)}: work that cannot succeed then runs, and fails, until somebody stops it."
        sure: Confidence | None = None if retry.jobs or way else "medium"
        if retry.capped and in_effect(retry.grows) and isinstance(retry.attempts, Known):
            sure = "low"  # endless on purpose, at a pace that harms nobody
        yield finding(_here(retry), RULE, message, retry.bounded, subject=retry.how, confidence=sure, related=way)
    elif isinstance(retry.attempts, Varies) and any(one.value == NEVER for one in retry.attempts.values):
        message = f"{who} is tried again for ever in some of its deployments: they do not agree on the number of attempts."
        yield finding(retry, RULE, message, retry.bounded, subject=retry.how, confidence="medium", related=way)
    elif isinstance(retry.attempts, Unknown) and retry.attempts.present == "maybe":
        yield unsure(retry, RULE, f"{who} may be tried again for ever: {retry.attempts.why}.")


def _here(retry: Retry) -> Retry:
    """The finding stands where the bound is taken away; a loop's stands where it waits."""
    told = retry.attempts.at if isinstance(retry.attempts, Known) and retry.kind in ("automatic", "asked") else retry.place
    return msgspec.structs.replace(retry, place=told)


def _told(retry: Retry) -> str:
    if retry.kind in ("loop", "restart"):
        return f" (`{retry.how}` has no bound)"
    if isinstance(retry.attempts, Absent):
        return f" (`{retry.how}` bounds nothing, and {retry.title} has no bound by default)"
    elsewhere = isinstance(retry.attempts, Known) and retry.attempts.at != retry.place
    return " (its bound is taken away)" if elsewhere else f" (`{retry.how}` without a bound)"


def _whose(retry: Retry, project: Project) -> tuple[str, tuple[Related, ...]]:
    """Whose work it is, in words, with the way to it; nothing where no worker code reaches it."""
    if retry.jobs:
        return retry.workers, ()
    if retry.kind == "loop" and retry.reconnects:
        return "", ()
    return project.worker_of(retry.scope) or ((retry.scope.title, ()) if retry.kind == "restart" else ("", ()))
