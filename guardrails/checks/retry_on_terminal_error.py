"""retry-on-terminal-error: attempts that cannot succeed."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Known, finding, never_ends
from guardrails.facts.retrying import Retry
from guardrails.finding import Confidence, Finding, Related
from guardrails.project import Project

RULE = "retry-on-terminal-error"


def check(retry: Retry, project: Project) -> Iterator[Finding]:
    """Everything is retried with nothing spared, or an error is listed that no retry can mend."""
    errors = retry.errors
    if errors is None or retry.kind in ("loop", "restart") or (isinstance(retry.attempts, Known) and retry.attempts.value == 0):
        return
    if not (errors.all and not retry.spares) and not errors.terminal:
        return
    who, way = _whose(retry, project)
    if not who:
        return
    if errors.terminal:
        what = f"`{errors.terminal[0]}`, which fails again in the same way"
    else:
        what = f"every error ({errors.text}), so that refused access, bad data and bugs are tried again, too"
    message = f"{who} is retried on {what}."
    related = () if errors.at == retry.place else (Related(errors.at, "the errors that are retried"),)
    confidence: Confidence | None = "medium" if retry.kind == "asked" and not errors.terminal else None
    if retry.kind == "asked" and errors.terminal and errors.read and not errors.all:
        confidence = "low"  # whoever names it by hand has seen it pass: half an answer raises it, too
    if retry.steady and never_ends(retry.attempts) and not errors.terminal:
        confidence = "low"  # no input that stays bad: its retries only keep it running
    yield finding(retry, RULE, message, retry.chosen, subject=retry.how, confidence=confidence, related=(*related, *way))


def _whose(retry: Retry, project: Project) -> tuple[str, tuple[Related, ...]]:
    if retry.jobs:
        return retry.workers, ()
    entries = project.jobs_above(retry.scope)
    if not entries:
        return "", ()
    return f"{retry.scope.title} in job `{entries[0].name}`", (Related(entries[0].fact.place, "the job"), *entries[0].way)
