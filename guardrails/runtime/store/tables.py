"""The tables: a schema of their own on PostgreSQL, names with a prefix on SQLite. Times are seconds since 1970 by the database's clock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

Dialect = Literal["sqlite", "postgresql"]
Columns = tuple["sa.Column[Any]", ...]
SCHEMA = "guardrails"
VERSION = 1

STATUSES = ("queued", "running", "retrying", "done", "dead", "cancelled")
ACTIVE = ("queued", "running", "retrying")
ENDED = ("done", "dead", "cancelled")


@dataclass(frozen=True, eq=False)
class Tables:
    """One dialect's tables. `runs` counts the runs that ended in a failure, a time-out or a death; `starts` all of them.

    `ended` is the last start that somebody ended.
    """

    metadata: sa.MetaData
    meta: sa.Table
    key: sa.Table
    job: sa.Table
    event: sa.Table
    line: sa.Table
    lease: sa.Table
    tick: sa.Table
    stream: sa.Table
    chunk: sa.Table
    value: sa.Table
    task: sa.Table
    blob: sa.Table


def _text(name: str, **options: object) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, **options)  # type: ignore[arg-type]


def _time(name: str, **options: object) -> "sa.Column[float]":
    return sa.Column(name, sa.Double, **options)  # type: ignore[arg-type]


def _count(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, nullable=False, default=0)


def _meta() -> Columns:
    return (
        _text("name", primary_key=True),
        _text("value", nullable=False),
    )


def _key() -> Columns:
    return (
        _text("name", primary_key=True),
        _text("key", primary_key=True),
        _text("job", nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        _text("digest", nullable=False),
        _time("created", nullable=False),
    )


def _job() -> Columns:
    return (
        _text("id", primary_key=True),
        _text("name", nullable=False),
        _text("key", nullable=False),
        _text("queue", nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        _text("payload", nullable=False),
        _text("status", nullable=False),
        *(_count(name) for name in ("runs", "starts", "ended", "generation", "attempt", "steps_from", "seq")),
        sa.Column("attempts", sa.Integer, nullable=False),
        _text("fence"),
        _text("worker"),
        sa.Column("cancel", sa.Boolean, nullable=False, default=False),
        _text("error"),
        _text("result"),
        _text("progress"),
        _time("created", nullable=False),
        _time("due"),
        _time("started"),
        _time("finished"),
    )


def _event() -> Columns:
    return (
        _text("job", primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        _text("type", nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        _text("data", nullable=False),
        _time("at", nullable=False),
    )


def _line() -> Columns:
    return (
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        _text("job", nullable=False, index=True),
        sa.Column("run", sa.Integer, nullable=False),
        _text("level", nullable=False),
        _text("message", nullable=False),
        _text("fields", nullable=False),
        _time("at", nullable=False),
    )


def _lease() -> Columns:
    return (
        _text("worker", primary_key=True),
        _text("host", nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        _text("queues", nullable=False),
        _time("started", nullable=False),
        _time("renewed", nullable=False),
        _time("expires", nullable=False),
    )


def _tick() -> Columns:
    return (
        _text("name", primary_key=True),
        _text("described", primary_key=True),
        _time("last", nullable=False),
    )


def _stream() -> Columns:
    return (
        _text("job", primary_key=True),
        _text("name", primary_key=True),
        _text("content_type", nullable=False),
        _text("metadata", nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        _time("created", nullable=False),
        _time("expires"),
    )


def _chunk() -> Columns:
    return (
        _text("job", primary_key=True),
        _text("stream", primary_key=True),
        sa.Column("run", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )


def _value() -> Columns:
    return (
        _text("namespace", primary_key=True),
        _text("key", primary_key=True),
        _text("value", nullable=False),
        _time("updated", nullable=False),
        _time("expires", index=True),
    )


def _task() -> Columns:
    return (
        _text("id", primary_key=True),
        _text("title", nullable=False),
        _text("description", nullable=False),
        _text("tags", nullable=False),
        _text("status", nullable=False),
        _text("job", index=True),
        _time("created", nullable=False),
        _time("updated", nullable=False),
    )


def _blob() -> Columns:
    return (
        _text("id", primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        _text("content_type", nullable=False),
        _time("created", nullable=False),
        _time("expires", index=True),
    )


_TABLES: dict[str, Callable[[], Columns]] = {
    "meta": _meta,
    "key": _key,
    "job": _job,
    "event": _event,
    "line": _line,
    "lease": _lease,
    "tick": _tick,
    "stream": _stream,
    "chunk": _chunk,
    "value": _value,
    "task": _task,
    "blob": _blob,
}


def build(dialect: Dialect) -> Tables:
    """The tables for a dialect."""
    metadata = sa.MetaData(schema=SCHEMA if dialect == "postgresql" else None)
    prefix = "" if dialect == "postgresql" else f"{SCHEMA}_"
    made = {name: sa.Table(prefix + name, metadata, *columns()) for name, columns in _TABLES.items()}
    job = made["job"]
    sa.Index(f"{SCHEMA}_job_status", job.c.status, job.c.queue, job.c.id)
    over = job.c.finished.is_not(None)  # a job that waits or runs costs this index nothing
    sa.Index(f"{SCHEMA}_job_finished", job.c.finished, postgresql_where=over, sqlite_where=over)
    return Tables(metadata, **made)
