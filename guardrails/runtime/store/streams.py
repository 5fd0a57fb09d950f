"""Reading durable streams, while they grow and afterwards, from any offset. Offsets count bytes within one run of the job."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from guardrails.runtime.errors import UnknownJob
from guardrails.runtime.store.database import Database

PAGE = 64


@dataclass(frozen=True, slots=True)
class About:
    """A stream: which run wrote it last, how many bytes so far, whether it is complete. `expires` in epoch seconds."""

    job: str
    name: str
    content_type: str
    metadata: dict[str, str]
    run: int
    length: int
    closed: bool
    created: float
    expires: float | None

    @property
    def url(self) -> str:
        """Where the HTTP service gives it out."""
        return f"/api/tasks/{self.job}/stream?name={self.name}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a stream at an offset of one run; `reset`: what was read before came from a run that was replaced, begin anew."""

    run: int
    at: int
    data: bytes
    reset: bool = False


class Streams:
    """The streams of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stream, self._chunk = database.tables.stream, database.tables.chunk

    def about(self, job: str, name: str = "output") -> About:
        """A stream; raises UnknownJob where there is none, or its time is over."""
        lives = sa.or_(self._stream.c.expires.is_(None), self._stream.c.expires > self._database.now)
        with self._database.read() as connection:
            query = sa.select(self._stream).where(self._stream.c.job == job, self._stream.c.name == name, lives)
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnknownJob(f"Job {job} has no stream called {name!r}.")
        return About(**{**row._asdict(), "metadata": json.loads(row.metadata)})

    def names(self, job: str) -> list[str]:
        """The names of a job's streams."""
        with self._database.read() as connection:
            return list(
                connection.execute(sa.select(self._stream.c.name).where(self._stream.c.job == job).order_by(self._stream.c.name)).scalars()
            )

    def read(
        self, job: str, name: str = "output", *, run: int | None = None, offset: int = 0, all_attempts: bool = False
    ) -> Iterator[Piece]:
        """What is there now from `offset` on, in order.

        `run` and `offset` are where the reader stands: the last piece's run, and its offset plus its length. If another run has replaced
        that one, the first piece is a `reset` and the reader begins at 0 of the new run. With `all_attempts` the pieces of all runs come,
        one run after the other. Raises UnknownJob.
        """
        about = self.about(job, name)
        if all_attempts:
            yield from self._pieces(job, name, None, 0)
            return
        if run is not None and run != about.run:
            yield Piece(about.run, 0, b"", reset=True)
            offset = 0
        yield from self._pieces(job, name, about.run, offset)

    def _pieces(self, job: str, name: str, run: int | None, offset: int) -> Iterator[Piece]:
        chunk, place = self._chunk, (run or 0, -1)
        while True:
            query = (
                sa.select(chunk.c.run, chunk.c.at, chunk.c.data)
                .where(chunk.c.job == job, chunk.c.stream == name)
                .order_by(chunk.c.run, chunk.c.at)
                .limit(PAGE)
            )
            after = sa.or_(chunk.c.run > place[0], sa.and_(chunk.c.run == place[0], chunk.c.at > place[1]))
            query = query.where(after, chunk.c.at + sa.func.length(chunk.c.data) > offset)
            if run is not None:
                query = query.where(chunk.c.run == run)
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            for row in rows:
                skip = max(0, offset - row.at)
                yield Piece(row.run, row.at + skip, bytes(row.data[skip:]))
            if len(rows) < PAGE:
                return
            place = (rows[-1].run, rows[-1].at)
