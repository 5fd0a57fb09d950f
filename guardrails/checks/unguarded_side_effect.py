"""unguarded-side-effect: what a job does outside is done again when it runs again."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Absent, Job, Unknown, finding, unsure
from guardrails.facts.effects import Effect
from guardrails.finding import Confidence, Finding, Related, Unsure
from guardrails.project import Project

RULE = "unguarded-side-effect"
_FIX = {
    "payment": "Pass an idempotency key that comes from the work itself (the order's id), so that the second call does nothing.",
    "mail": "Record that it was sent (a unique row, or a status that is checked first), or send each mail in a job of its own.",
    "message": "Record that it was sent (a unique row, or a status that is checked first), or send each message in a job of its own.",
    "post": "Send a key that comes from the work itself in an `Idempotency-Key` header, or record first that it is done.",
    "insert": "Use `get_or_create` on a key of the work, or a unique constraint with an insert that skips conflicts.",
    "count": "Record the work's id in the same transaction as the step, and do both only when the id is new.",
}


def check(effect: Effect, project: Project) -> Iterator[Finding | Unsure]:
    """Speaks where the job is retried and something may fail once the effect is done; for payments also where it is only redelivered."""
    if not isinstance(effect.key, Absent | Unknown):
        return
    for entry in project.jobs_above(effect.scope):
        job = entry.fact
        if not isinstance(job, Job) or job.repeats is None or project.guard_in(job) is not None:
            continue
        why = project.again(effect, job)
        if why is None:
            continue
        if isinstance(effect.key, Unknown):
            yield unsure(effect, RULE, f"`{effect.call}` in job `{job.name}` may carry no idempotency key: {effect.key.why}.")
            return
        related = (
            Related(job.place, "the job"),
            *((Related(job.repeats.at, job.repeats.words),) if job.repeats.at else ()),
            *entry.way,
            why,
        )
        surely = (job.repeats.kind == "retried" or effect.kind == "payment") and not effect.sealed
        confidence: Confidence | None = None if surely else "low"
        message = (
            f"Job `{job.name}` {effect.does} (`{effect.call}`), and does so again when it runs again ({job.repeats.words}): {why.message}."
        )
        yield finding(effect, RULE, message, effect.fix or _FIX[effect.kind], subject=effect.call, confidence=confidence, related=related)
        return
