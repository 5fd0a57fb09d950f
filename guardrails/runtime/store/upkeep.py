"""Upkeep of the book: jobs that their queue has lost are queued again; finished ones go when they were kept long enough.

Dead letters and keys stay.
"""

import sqlalchemy as sa

from guardrails.runtime.blobs import book
from guardrails.runtime.engine import Client
from guardrails.runtime.errors import WrongState
from guardrails.runtime.store.database import DAY, Database
from guardrails.runtime.store.tables import ACTIVE, ENDED

SETTLED = 60.0  # seconds: younger rows may still be on their way between the two books
BATCH = 200
PAGE = 1000


class Upkeep:
    """What a worker does now and then, and `guardrails jobs purge` on demand."""

    def __init__(self, database: Database, client: Client) -> None:
        self._database, self._client = database, client
        self._tables = database.tables

    def mend(self) -> list[str]:
        """Queue jobs again whose attempt the engine no longer means to run; returns their ids. It should find none."""
        job, now = self._tables.job, self._database.now
        late = sa.func.coalesce(job.c.due, job.c.started, job.c.created) < now - SETTLED
        query = sa.select(job.c.id, job.c.generation, job.c.attempt, job.c.queue).where(job.c.status.in_(ACTIVE), late)
        lost: list[str] = []
        last = ""
        while True:
            with self._database.read() as connection:
                waiting = connection.execute(query.where(job.c.id > last).order_by(job.c.id).limit(PAGE)).all()
            alive = self._client.alive([(row.id, row.generation, row.attempt) for row in waiting])
            lost += [row.id for row in waiting if row.id not in alive and self._again(row.id, row.generation, row.attempt, row.queue)]
            if len(waiting) < PAGE:
                return lost
            last = waiting[-1].id

    def _again(self, job: str, generation: int, attempt: int, queue: str) -> bool:
        table = self._tables.job
        update = (
            sa.update(table)
            .where(
                table.c.id == job,
                table.c.generation == generation,
                table.c.attempt == attempt,
                table.c.status.in_(ACTIVE),
            )
            .values(attempt=attempt + 1, fence=None)
        )
        with self._database.begin() as connection:
            if connection.execute(update).rowcount != 1:
                return False
            self._client.queue(connection, queue, job, generation, attempt + 1)
        return True

    def prune(self, days: float) -> int:
        """Remove jobs that were done or cancelled so many days ago, in batches, and what is over its time; returns how many jobs went."""
        removed, now = 0, self._database.now
        job = self._tables.job
        old = sa.select(job.c.id).where(job.c.status.in_(("done", "cancelled")), job.c.finished < now - days * DAY).limit(BATCH)
        while True:
            with self._database.read() as connection:
                ids = list(connection.execute(old).scalars())
            self.remove(ids)
            removed += len(ids)
            if len(ids) < BATCH:
                break
        self._expired()
        return removed

    def _expired(self) -> None:
        value, stream, chunk, now = self._tables.value, self._tables.stream, self._tables.chunk, self._database.now
        with self._database.begin() as connection:
            connection.execute(sa.delete(value).where(value.c.expires < now))
            gone = sa.select(stream.c.job, stream.c.name).where(stream.c.expires < now)
            connection.execute(sa.delete(chunk).where(sa.tuple_(chunk.c.job, chunk.c.stream).in_(gone)))
            connection.execute(sa.delete(stream).where(stream.c.expires < now))
        book.prune(self._database)

    def remove(self, jobs: list[str], forget_keys: bool = False) -> None:
        """Remove jobs with their events, logs, streams and steps; their keys only with `forget_keys`.

        Active ones are refused (WrongState).
        """
        if not jobs:
            return
        tables = self._tables
        busy = sa.select(tables.job.c.id).where(tables.job.c.id.in_(jobs), tables.job.c.status.not_in(ENDED)).limit(1)
        with self._database.read() as connection:
            _refuse(connection.execute(busy).scalar())
        for job in jobs:  # first: whoever dies in between leaves jobs without attempts, which are removed the next time
            self._client.forget(job)
        with self._database.begin() as connection:
            connection.execute(sa.delete(tables.job).where(tables.job.c.id.in_(jobs), tables.job.c.status.in_(ENDED)))
            _refuse(connection.execute(busy).scalar())
            for table in (tables.event, tables.line, tables.chunk, tables.stream):
                connection.execute(sa.delete(table).where(table.c.job.in_(jobs)))
            if forget_keys:
                connection.execute(sa.delete(tables.key).where(tables.key.c.job.in_(jobs)))


def _refuse(busy: str | None) -> None:
    if busy is not None:
        raise WrongState(f"Job {busy} is not over: cancel it before it is purged.")
