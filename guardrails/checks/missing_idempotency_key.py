"""missing-idempotency-key: work handed over twice runs twice."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Absent, Enqueue, Handler, Job, Unknown, finding, unsure
from guardrails.finding import Confidence, Finding, Related, Severity, Unsure
from guardrails.project import Entry, Project

RULE = "missing-idempotency-key"
SAME = "Make the key of what the work is about: the id of its row or event."


def check(enqueue: Enqueue, project: Project) -> Iterator[Finding | Unsure]:
    """Speaks only where the enqueue itself may repeat: a webhook, a repeatable job, an unsafe request, a wrapper that got a key."""
    if enqueue.carries_only:
        return
    if isinstance(enqueue.key, Unknown):
        yield unsure(enqueue, RULE, f"`{enqueue.target}` may be enqueued without a key: {enqueue.key.why}.")
    if enqueue.same_key and _repeatedly(enqueue, project):
        why = "the first is run, and whatever comes after it is taken for the same work"
        message = f"`{enqueue.target}` is enqueued with one key for all its work ({enqueue.same_key}): {why}."
        yield finding(enqueue, RULE, message, SAME, subject=enqueue.target, confidence="medium")
    elif isinstance(enqueue.key, Absent):
        for said in _keyed(enqueue, project) if enqueue.support.how else _keyless(enqueue, project):
            if not _is_harmless(enqueue, project):
                yield said


def _repeatedly(enqueue: Enqueue, project: Project) -> bool:
    """It is handed over by requests or by jobs, and not once by hand."""
    return bool(project.handlers_above(enqueue.scope) or project.jobs_above(enqueue.scope))


def _is_harmless(enqueue: Enqueue, project: Project) -> bool:
    """A second run does nothing: the enqueue is guarded, or the job's body opens with a guard."""
    job = project.job(enqueue.job)
    return project.guard_before(enqueue) is not None or (job is not None and project.guard_in(job) is not None)


def _keyed(enqueue: Enqueue, project: Project) -> Iterator[Finding]:
    """The framework has a key, and it was left out."""
    window = f" (it counts {enqueue.support.window})" if enqueue.support.window else ""
    fix = f"Pass a stable id of the work as {enqueue.support.how}{window}."
    if enqueue.dropped_key:
        yield _say(enqueue, f"it drops the `{enqueue.dropped_key}` that its caller gave, so a repeated call runs the work twice", fix)
        return
    where = _repeating(enqueue, project)
    if where is None:
        return
    place, way, confidence = where
    said, fix = _said(enqueue, fix)
    yield _say(enqueue, f"{place}, and {said}, so the same work may run twice", fix, way, confidence)


def _said(enqueue: Enqueue, fix: str) -> tuple[str, str]:
    """What is wrong with the key, and the smallest fix."""
    if enqueue.misplaced_key:
        return f"`{enqueue.misplaced_key}` stands in the data, where the queue does not look", fix
    half = enqueue.key.looked_in[0] if isinstance(enqueue.key, Absent) and enqueue.key.looked_in else ""
    if half:
        return f"its key does nothing without `{half}`", f"Add `{half}` to the key that it carries."
    return f"the enqueue carries no {enqueue.support.how}", fix


def _keyless(enqueue: Enqueue, project: Project) -> Iterator[Finding]:
    """The framework has no key: only what surely redelivers is judged."""
    for entry in _handlers(enqueue, project):
        handler = entry.fact
        if isinstance(handler, Handler) and handler.webhook:
            twice = f"webhook `{handler.name}` may be delivered twice, nothing records its event id before this"
            message = f"`{enqueue.target}` is enqueued without an idempotency key: {twice}, and {enqueue.title} runs both messages."
            fix = enqueue.support.instead or "Record the event's id once before this."
            related = _places(entry, handler.webhook)
            yield finding(enqueue, RULE, message, fix, subject=enqueue.target, confidence="medium", related=related)
            return


def _repeating(enqueue: Enqueue, project: Project) -> tuple[str, tuple[Related, ...], Confidence | None] | None:
    """Why this place may repeat, the way to it, and with what confidence: None where it surely may."""
    if enqueue.receives:
        return "its sender may deliver an event twice", (), None
    entries = _handlers(enqueue, project)
    for entry in entries:
        if isinstance(entry.fact, Handler) and entry.fact.webhook:
            return f"webhook `{entry.name}` may be delivered twice", _places(entry, entry.fact.webhook), None
    for entry in project.jobs_above(enqueue.scope):
        job = entry.fact
        repeats = job.repeats if isinstance(job, Job) else None
        if repeats is not None and isinstance(job, Job) and project.guard_in(job) is None:
            related = (Related(repeats.at, repeats.words),) if repeats.at is not None else ()
            return f"job `{entry.name}` may run again ({repeats.words})", (*_places(entry, "the job"), *related), None
    unsafe = [entry for entry in entries if isinstance(entry.fact, Handler) and entry.fact.unsafe]
    harmful = [entry for entry in unsafe if not _hardly_hurts(enqueue, entry, project)]
    for entry in (*harmful, *unsafe)[:1]:
        verbs, name = "/".join(getattr(entry.fact, "methods", ())), entry.name
        sent = f"`{name}`" if name.startswith(verbs) else f"{verbs} `{name}`"
        return f"a client may send {sent} again", _places(entry, "the handler"), "medium" if harmful else "low"
    return None


def _hardly_hurts(enqueue: Enqueue, entry: Entry, project: Project) -> bool:
    """Nobody knows who listens, or a request that sets a state is answered by computing again what follows from it."""
    job = project.job(enqueue.job)
    sets = isinstance(entry.fact, Handler) and set(entry.fact.methods) <= {"PUT", "PATCH", "DELETE"}
    return enqueue.to_listeners or (sets and job is not None and project.only_recomputes(job))


def _handlers(enqueue: Enqueue, project: Project) -> list[Entry]:
    """The handlers above it with no guard on the way."""
    return [entry for entry in project.handlers_above(enqueue.scope) if project.guard_along(entry) is None]


def _places(entry: Entry, words: str) -> tuple[Related, ...]:
    return (Related(entry.fact.place, words), *entry.way)


def _say(enqueue: Enqueue, why: str, fix: str, related: tuple[Related, ...] = (), confidence: Confidence | None = None) -> Finding:
    message = f"`{enqueue.target}` is enqueued without an idempotency key: {why}."
    severity: Severity | None = "warning" if confidence else None
    return finding(enqueue, RULE, message, fix, subject=enqueue.target, severity=severity, confidence=confidence, related=related,
                   repair=enqueue.key_repair)  # fmt: skip
