"""Queueing: one, many, or within the caller's own transaction."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from guardrails.runtime import context
from guardrails.runtime.declare import Handle, Job
from guardrails.runtime.errors import DeclarationError, RuntimeFault
from guardrails.runtime.home import home
from guardrails.runtime.numeric import is_number
from guardrails.runtime.payload import digest
from guardrails.runtime.store import foreign
from guardrails.runtime.store.jobs import Jobs, New, in_hook

LONGEST_DELAY = 366 * 86_400.0


def one(job: Job[Any, Any], payload: Any, *, delay: float = 0.0, key: str | None = None) -> Handle:
    """See `Job.enqueue`."""
    _refuse_in_hook(job)
    new = _new(job, payload, delay, key)
    jobs = home().jobs
    with jobs.adding() as connection:
        return _add(jobs, connection, job, new)


def many(job: Job[Any, Any], payloads: Sequence[Any], *, delay: float = 0.0) -> list[Handle]:
    """See `Job.enqueue_many`."""
    _refuse_in_hook(job)
    news = [_new(job, payload, delay, None) for payload in payloads]
    jobs = home().jobs
    with jobs.database.begin() as connection:
        added = jobs.add_many(connection, news, _lifted(job))
    return [Handle(found, new.name, new.key, created) for new, (found, created) in zip(news, added, strict=True)]


def within(job: Job[Any, Any], connection: Any, payload: Any, *, delay: float = 0.0) -> Handle:
    """See `Job.enqueue_in_transaction`."""
    new = _new(job, payload, delay, None)
    jobs = home(make=False).jobs
    with foreign.borrowed(jobs.database, connection) as theirs:
        return _add(jobs, theirs, job, new)


def _refuse_in_hook(job: Job[Any, Any]) -> None:
    if in_hook.get():
        raise RuntimeFault(
            f"Job {job.name}: a status hook works within the transaction that records the status, and on SQLite nobody else can write "
            f"meanwhile: call {job.name}.enqueue_in_transaction(connection, ..) with the connection that the hook is given."
        )


def _new(job: Job[Any, Any], payload: Any, delay: float, key: str | None) -> New:
    context.refuse_while_importing(job.name)
    if not is_number(delay) or not 0 <= delay <= LONGEST_DELAY:
        raise DeclarationError(f"Job {job.name}: delay must be between 0 and {LONGEST_DELAY:,.0f} seconds (a year), not {delay!r}.")
    return prepared(job, payload, key, delay)


def prepared(job: Job[Any, Any], payload: Any, key: str | None = None, delay: float = 0.0) -> New:
    """A job to queue, as the book keeps it; its own key where none is given. Raises PayloadRefused."""
    text = job.shape.dump(payload)
    return New(job.name, key or job.key(payload), job.queue, job.shape.version, text, digest(text), job.retry.attempts, delay)


def _add(jobs: Jobs, connection: sa.Connection, job: Job[Any, Any], new: New) -> Handle:
    found, created = jobs.add(connection, new, _lifted(job))
    return Handle(found, new.name, new.key, created)


def _lifted(job: Job[Any, Any]) -> Callable[[str, int], str]:
    """The digest that a payload of an older version has in the present one."""
    return lambda text, version: digest(job.shape.lift(text, version))
