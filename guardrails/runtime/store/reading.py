"""Reading the book: for the command line, the HTTP service and tests. Payloads come out as they are stored; masking is the caller's."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from guardrails.runtime.errors import UnknownJob
from guardrails.runtime.plain import known
from guardrails.runtime.store.database import Database
from guardrails.runtime.store.tables import ACTIVE, STATUSES


@dataclass(frozen=True, slots=True)
class Seen:
    """A job as it stands. Times are epoch seconds; `runs` of `attempts` were used up, `start` numbers the present or last run."""

    id: str
    name: str
    key: str
    queue: str
    status: str
    version: int
    payload: str
    runs: int
    attempts: int
    start: int
    generation: int
    worker: str | None
    cancel: bool
    error: str | None
    result: Any
    progress: dict[str, Any] | None
    created: float
    due: float | None
    started: float | None
    finished: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a job; `seq` counts from 1 within the job."""

    seq: int
    type: str
    run: int
    at: float
    data: dict[str, Any]


class Reading:
    """Questions to one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = database.tables

    def job(self, job: str) -> Seen:
        """A job by its id, or by the beginning of its id if only one begins so; raises UnknownJob."""
        table, job = self._tables.job, known("job", job)
        with self._database.read() as connection:
            rows = connection.execute(sa.select(table).where(table.c.id.startswith(job, autoescape=True)).limit(2)).all()
        exact = [row for row in rows if row.id == job] or rows
        if len(exact) != 1:
            raise UnknownJob(f"{'Several jobs begin' if len(exact) > 1 else 'No job begins'} with {job!r} in {self._database.shown}.")
        return _seen(exact[0])

    def jobs(
        self, statuses: Sequence[str] = (), queue: str | None = None, name: str | None = None, limit: int = 50, before: str | None = None
    ) -> list[Seen]:
        """Jobs, the newest first; `before` is the id after which a page goes on."""
        table = self._tables.job
        query = sa.select(table).order_by(table.c.id.desc()).limit(limit)
        for column, value in ((table.c.queue, queue), (table.c.name, name)):
            if value is not None:
                query = query.where(column == value)
        if statuses:
            query = query.where(table.c.status.in_(statuses))
        if before is not None:
            query = query.where(table.c.id < before)
        with self._database.read() as connection:
            return [_seen(row) for row in connection.execute(query)]

    def events(self, job: str, after: int = 0, limit: int = 1000) -> list[Told]:
        """A job's events in order, from `after` (a seq) on; raises UnknownJob."""
        seen, table = self.job(job), self._tables.event
        query = sa.select(table).where(table.c.job == seen.id, table.c.seq > after).order_by(table.c.seq).limit(limit)
        with self._database.read() as connection:
            told = [Told(row.seq, row.type, row.run, row.at, json.loads(row.data)) for row in connection.execute(query)]
        return [Told(1, "Queued", 0, seen.created, {}), *told] if after < 1 else told

    def lines(self, job: str, after: int = 0, limit: int = 1000) -> list[tuple[int, int, str, str, dict[str, str], float]]:
        """A job's log from line id `after` on: (line id, run, level, message, fields, epoch seconds)."""
        table = self._tables.line
        query = sa.select(table).where(table.c.job == job, table.c.id > after).order_by(table.c.id).limit(limit)
        with self._database.read() as connection:
            return [(row.id, row.run, row.level, row.message, json.loads(row.fields), row.at) for row in connection.execute(query)]

    def counts(self) -> dict[str, dict[str, int]]:
        """How many jobs have each status, by queue."""
        table = self._tables.job
        found: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            for row in connection.execute(
                sa.select(table.c.queue, table.c.status, sa.func.count().label("n")).group_by(table.c.queue, table.c.status)
            ):
                found.setdefault(row.queue, dict.fromkeys(STATUSES, 0))[row.status] = row.n
        return dict(sorted(found.items()))

    def names(self) -> set[tuple[str, str]]:
        """The (name, queue) of all jobs that are kept."""
        table = self._tables.job
        with self._database.read() as connection:
            return {(row.name, row.queue) for row in connection.execute(sa.select(table.c.name, table.c.queue).distinct())}

    def waiting(self, queues: Sequence[str] = ()) -> dict[str, int]:
        """How many jobs of each name are queued or retrying, in these queues or in all."""
        table = self._tables.job
        query = sa.select(table.c.name, sa.func.count().label("n")).where(table.c.status.in_(("queued", "retrying")))
        if queues:
            query = query.where(table.c.queue.in_(queues))
        with self._database.read() as connection:
            return {row.name: row.n for row in connection.execute(query.group_by(table.c.name).order_by(table.c.name))}

    def unfinished(self, queues: Sequence[str], names: Sequence[str] = ()) -> int:
        """How many jobs of these queues (and, where given, of these names) still wait or run."""
        table = self._tables.job
        query = sa.select(sa.func.count()).where(table.c.status.in_(ACTIVE), table.c.queue.in_(queues))
        if names:
            query = query.where(table.c.name.in_(names))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def workers(self) -> list[dict[str, Any]]:
        """The workers whose lease holds: id, host, pid, queues, started, renewed, expires (epoch seconds)."""
        lease = self._tables.lease
        with self._database.read() as connection:
            rows = connection.execute(sa.select(lease).where(lease.c.expires > self._database.now).order_by(lease.c.started)).all()
        return [{**row._asdict(), "queues": json.loads(row.queues)} for row in rows]


def _seen(row: Any) -> Seen:
    return Seen(
        row.id,
        row.name,
        row.key,
        row.queue,
        row.status,
        row.version,
        row.payload,
        row.runs,
        row.attempts,
        row.starts,
        row.generation,
        row.worker,
        row.cancel,
        row.error,
        None if row.result is None else json.loads(row.result),
        None if row.progress is None else json.loads(row.progress),
        row.created,
        row.due,
        row.started,
        row.finished,
    )
