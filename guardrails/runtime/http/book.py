"""What the service asks of the database. Everything here blocks: call it through `Desk.work`."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from guardrails.runtime.declare import Handle, registry
from guardrails.runtime.errors import UnknownJob
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading, Seen, Told
from guardrails.runtime.store.streams import About, Piece, Streams
from guardrails.runtime.store.tables import ENDED

Line = tuple[int, int, str, str, dict[str, str], float]
PIECES = 1 << 20
"""Bytes of a stream that are read at once."""


def enqueue(name: str, payload: bytes, delay: float) -> Handle:
    """Queue a job by its name, from JSON. Raises UnknownJob, PayloadRefused, KeyConflict, DeclarationError, DatabaseRefused."""
    job = registry.job(name)
    return job.enqueue(job.shape.parse(payload), delay=delay)


def reading() -> Reading:
    """The present database's book."""
    return Reading(home().database)


def task(job: str) -> Seen:
    """A job by its whole id; raises UnknownJob."""
    with _named(job):
        seen = reading().job(job)
    if seen.id != job:
        raise UnknownJob(f"There is no job {job}.")
    return seen


@contextmanager
def _named(job: str) -> Iterator[None]:
    """Say of a job that is not there nothing but its id: where the database is concerns no caller."""
    try:
        yield
    except UnknownJob:
        raise UnknownJob(f"There is no job {job}.") from None


def maybe(job: str) -> Seen | None:
    """A job by its whole id, None where there is none."""
    try:
        return task(job)
    except UnknownJob:
        return None


def told(job: str, after: int, limit: int) -> tuple[Seen, list[Told]]:
    """A job, and then its events from `after` on: what ended it before the first look is among those of the second."""
    seen = task(job)
    with _named(job):
        return seen, reading().events(job, after, limit)


def nearest(statuses: Sequence[str], most: int) -> list[Seen]:
    """The jobs of these statuses that people look for first: those that finished last, or else are due first."""
    database = home().database
    job = database.tables.job
    first = (job.c.finished.desc(), sa.func.coalesce(job.c.due, job.c.created), job.c.id)
    with database.read() as connection:
        ids = list(connection.execute(sa.select(job.c.id).where(job.c.status.in_(statuses)).order_by(*first).limit(most)).scalars())
    found = (maybe(one) for one in ids)
    return [seen for seen in found if seen is not None]


def timeline(seen: Seen, most: int) -> list[Told]:
    """A job's latest events in order; of Progress only the last."""
    database = home().database
    event = database.tables.event
    last = sa.select(sa.func.max(event.c.seq)).where(event.c.job == seen.id, event.c.type == "Progress").scalar_subquery()
    wanted = sa.select(event).where(event.c.job == seen.id, sa.or_(event.c.type != "Progress", event.c.seq == last))
    with database.read() as connection:
        rows = connection.execute(wanted.order_by(event.c.seq.desc()).limit(most)).all()
    found = [Told(row.seq, row.type, row.run, row.at, json.loads(row.data)) for row in reversed(rows)]
    return [Told(1, "Queued", 0, seen.created, {}), *found] if len(found) < most else found


def last_seq(job: str) -> int:
    """The number of a job's latest event; raises UnknownJob."""
    database = home().database
    table = database.tables.job
    with database.read() as connection:
        found = connection.execute(sa.select(table.c.seq).where(table.c.id == job)).scalar()
    if found is None:
        raise UnknownJob(f"There is no job {job}.")
    return int(found)


def lines(job: str, after: int, limit: int) -> list[Line]:
    """A job's log; raises UnknownJob."""
    task(job)
    return reading().lines(job, after, limit)


def last_lines(job: str, limit: int) -> list[Line]:
    """The end of a job's log."""
    database = home().database
    table = database.tables.line
    query = sa.select(table.c.id).where(table.c.job == job).order_by(table.c.id.desc()).offset(limit).limit(1)
    with database.read() as connection:
        after = connection.execute(query).scalar()
    return reading().lines(job, after or 0, limit)


def cancel(job: str) -> Seen:
    """Cancel a job; raises UnknownJob or WrongState."""
    task(job)
    with _named(job):
        home().jobs.cancel(job)
    return task(job)


def requeue(job: str, from_start: bool) -> Seen:
    """Requeue a job; raises UnknownJob or WrongState."""
    task(job)
    with _named(job):
        home().jobs.requeue(job, from_start)
    return task(job)


def states(jobs: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """What moves of these jobs: the number of their latest event, their status, and how long their streams are."""
    database = home().database
    job, stream = database.tables.job, database.tables.stream
    moved = sa.select(job.c.id, job.c.seq, job.c.status).where(job.c.id.in_(jobs))
    grown = sa.select(stream.c.job, stream.c.name, stream.c.run, stream.c.length, stream.c.closed).where(stream.c.job.in_(jobs))
    found: dict[str, tuple[Any, ...]] = {}
    with database.read() as connection:
        for row in connection.execute(moved):
            found[row.id] = (row.seq, row.status)
        for length in connection.execute(grown.order_by(stream.c.job, stream.c.name)):
            if length.job in found:
                found[length.job] += (tuple(length),)
    return found


def streams(job: str) -> list[About]:
    """A job's streams that have not expired."""
    found = Streams(home().database)
    return [about for name in found.names(job) if (about := _living(found, job, name)) is not None]


def _living(found: Streams, job: str, name: str) -> About | None:
    try:
        return found.about(job, name)
    except UnknownJob:
        return None


def about(job: str, name: str) -> About:
    """A stream; raises UnknownJob."""
    return Streams(home().database).about(job, name)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stream: its pieces, and what was known of it just before they were read; `over`: nothing more is written then."""

    about: About
    pieces: list[Piece]
    over: bool
    more: bool


def part(job: str, name: str, run: int | None, offset: int) -> Part:
    """The next mebibyte of a stream; `more`: there is more by now. Raises UnknownJob."""
    over = task(job).status in ENDED
    found = Streams(home().database)
    about = found.about(job, name)
    pieces, more = take(found.read(job, name, run=run, offset=offset))
    return Part(about, pieces, over or about.closed, more)


def all_runs(job: str, name: str) -> tuple[About, Iterator[Piece]]:
    """A stream, and what all its runs wrote, to `take` from. Raises UnknownJob."""
    found = Streams(home().database)
    return found.about(job, name), found.read(job, name, all_attempts=True)


def take(pieces: Iterator[Piece]) -> tuple[list[Piece], bool]:
    """The next mebibyte, and whether there is more."""
    taken, size = [], 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece.data)
        if size >= PIECES:
            return taken, True
    return taken, False


def steps(seen: Seen) -> dict[str, str]:
    """The results (JSON) of a job's finished steps, by name with occurrence."""
    here = home()
    table = here.database.tables.job
    with here.database.read() as connection:
        row = connection.execute(
            sa.select(table.c.steps_from, table.c.generation, table.c.attempt).where(table.c.id == seen.id)
        ).one_or_none()
    return here.client.steps(seen.id, row.steps_from, (row.generation, row.attempt + 1)) if row is not None else {}
