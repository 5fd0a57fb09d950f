"""unstable-idempotency-key: a key that every run makes anew names nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Handler, Job, finding
from guardrails.facts.flow import UnstableKey
from guardrails.finding import Finding, Related
from guardrails.project import Entry, Project

RULE = "unstable-idempotency-key"
FIX = "Derive it from the work (the event's or the row's id), or make it once before the job is enqueued and pass it in."


def check(key: UnstableKey, project: Project) -> Iterator[Finding]:
    """Speaks where the same work may come again: in a webhook, in a job that is retried or redelivered, in what makes all keys of a job."""
    if key.always:
        message = f"The key of `{key.carrier}` is made anew by `{key.source}` for every hand-over: the same work never has the same key."
        yield finding(key, RULE, message, FIX, subject=f"{key.key}:{key.carrier}", related=(key.made,))
        return
    where = _repeating(key, project)
    if where is None:
        return
    place, related = where
    carried = f" of `{key.carrier}`" if key.carrier else ""
    message = f"The key `{key.key}`{carried} is made anew by `{key.source}`: {place}, and the second run is taken for new work."
    yield finding(key, RULE, message, FIX, subject=f"{key.key}:{key.carrier}", related=(*related, key.made))


def _repeating(key: UnstableKey, project: Project) -> tuple[str, tuple[Related, ...]] | None:
    """Why this place may run again for the same work, and the way to it."""
    if key.received:
        return "its sender may deliver an event twice", ()
    for entry in project.handlers_above(key.scope):
        if isinstance(entry.fact, Handler) and entry.fact.webhook:
            return f"webhook `{entry.name}` may be delivered twice", _places(entry, entry.fact.webhook)
    for entry in project.jobs_above(key.scope):
        repeats = entry.fact.repeats if isinstance(entry.fact, Job) else None
        if repeats is not None:
            said = (Related(repeats.at, repeats.words),) if repeats.at is not None else ()
            return f"job `{entry.name}` may run again ({repeats.words})", (*_places(entry, "the job"), *said)
    return None


def _places(entry: Entry, words: str) -> tuple[Related, ...]:
    return (Related(entry.fact.place, words), *entry.way)
