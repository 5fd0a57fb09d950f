"""What was queued: seen, and asserted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

from guardrails.runtime.declare import Job, registry
from guardrails.runtime.home import home
from guardrails.runtime.store.database import Database


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A queued job: its payload as the worker gets it; `delay` is how long (seconds) it was to wait, `status` where it is now."""

    id: str
    name: str
    key: str
    queue: str
    status: str
    payload: BaseModel
    delay: float


def enqueued(job: Job[Any, Any] | None = None) -> list[Enqueued]:
    """All that was queued in this database so far, the first one first, whatever became of it; of one job where it is given.

    Raises UnknownJob for a row whose job is not declared here.
    """
    database = home().database
    table = database.tables.job
    query = sa.select(table).order_by(*in_order(database))
    if job is not None:
        query = query.where(table.c.name == job.name)
    with database.read() as connection:
        return [_enqueued(row) for row in connection.execute(query)]


def assert_enqueued(job: Job[Any, Any], payload: BaseModel | None = None, *, key: str | None = None, times: int = 1) -> Sequence[Enqueued]:
    """Assert that a job was queued `times` times (0: never), with this payload and this key where they are given; returns those.

    A repeated enqueue under the same key is one job: that is what keys are for.
    """
    found = enqueued(job)
    wanted = None if payload is None else job.shape.dump(payload)
    matching = [one for one in found if key in (None, one.key) and wanted in (None, job.shape.dump(one.payload))]
    if len(matching) == times:
        return matching
    asked = "".join([f" with key {key!r}" if key is not None else "", f" with {payload!r}" if payload is not None else ""])
    there = "".join(f"\n  {one.key}: {one.payload!r} ({one.status})" for one in found) or " nothing"
    raise AssertionError(f"{job.name}{asked} was queued {len(matching)} times, not {times}. Queued of it:{there}")


def in_order(database: Database) -> Sequence[Any]:
    """The order in which jobs were queued."""
    table = database.tables.job
    return [sa.literal_column("rowid")] if database.dialect == "sqlite" else [table.c.created, table.c.id]


def _enqueued(row: Any) -> Enqueued:
    payload = registry.job(row.name).shape.load(row.payload, row.version)
    delay = max(0.0, row.due - row.created) if row.due is not None else 0.0
    return Enqueued(row.id, row.name, row.key, row.queue, row.status, payload, delay)
