"""What a run leaves behind while it goes on: log lines and stream chunks. Chunks carry the run and its fence.

Lines of a run that lost its fence do no harm.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from guardrails.runtime.pool.frames import Chunk
from guardrails.runtime.store.database import DAY, Database
from guardrails.runtime.store.jobs import Started


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a job's log; `at` in epoch seconds."""

    run: int
    level: str
    message: str
    fields: dict[str, str]
    at: float


class Output:
    """Writes logs and streams."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables = database.tables

    def lines(self, job: str, lines: Sequence[LogLine]) -> None:
        """Append to a job's log."""
        rows = [
            {"job": job, "run": line.run, "level": line.level, "message": line.message, "fields": json.dumps(line.fields), "at": line.at}
            for line in lines
        ]
        with self._database.begin() as connection:
            connection.execute(sa.insert(self._tables.line), rows)

    def chunk(self, started: Started, frame: Chunk) -> bool:
        """Append to a stream in the run's name; False where the run lost its fence, and nothing was written."""
        job, stream, chunk = self._tables.job, self._tables.stream, self._tables.chunk
        with self._database.begin() as connection:
            held = sa.update(job).where(job.c.id == started.id, job.c.fence == started.fence).values(fence=started.fence)  # locks the row
            if connection.execute(held).rowcount != 1:
                return False
            at = self._grow(connection, stream, started, frame)
            if frame.data:
                values = {"job": started.id, "stream": frame.stream, "run": started.start, "at": at, "data": frame.data}
                connection.execute(sa.insert(chunk).values(**values))
        return True

    def _grow(self, connection: sa.Connection, stream: sa.Table, started: Started, frame: Chunk) -> int:
        """Count the chunk in; the offset at which it lies. A later run begins at 0 again."""
        own = (stream.c.job == started.id) & (stream.c.name == frame.stream)
        before = connection.execute(sa.select(stream.c.run, stream.c.length).where(own)).one_or_none()
        at = int(before.length) if before is not None and before.run == started.start else 0
        values: dict[str, Any] = {
            "content_type": frame.content_type,
            "metadata": json.dumps(frame.metadata),
            "run": started.start,
            "length": at + len(frame.data),
            "closed": frame.last,
            "expires": None if frame.ttl is None else self._database.now + frame.ttl * DAY,
        }
        if before is None:
            connection.execute(sa.insert(stream).values(job=started.id, name=frame.stream, created=self._database.now, **values))
        else:
            connection.execute(sa.update(stream).where(own).values(**values))
        return at
