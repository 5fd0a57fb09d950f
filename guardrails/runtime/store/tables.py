"""The tables: a schema of their own on PostgreSQL, names with a prefix on SQLite. Times are seconds since 1970 by the database's clock."""

from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

Dialect = Literal["sqlite", "postgresql"]
SCHEMA = "guardrails"
VERSION = 1

STATUSES = ("queued", "running", "retrying", "done", "dead", "cancelled")
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


def build(dialect: Dialect) -> Tables:
    """The tables for a dialect."""
    metadata = sa.MetaData(schema=SCHEMA if dialect == "postgresql" else None)
    prefix = "" if dialect == "postgresql" else f"{SCHEMA}_"

    def table(name: str, *columns: "sa.schema.SchemaItem") -> sa.Table:
        return sa.Table(prefix + name, metadata, *columns)

    job = table(
        "job",
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
    sa.Index(f"{SCHEMA}_job_status", job.c.status, job.c.queue, job.c.id)
    sa.Index(f"{SCHEMA}_job_finished", job.c.finished)
    return Tables(
        metadata=metadata,
        job=job,
        meta=table("meta", _text("name", primary_key=True), _text("value", nullable=False)),
        key=table(
            "key",
            _text("name", primary_key=True),
            _text("key", primary_key=True),
            _text("job", nullable=False),
            sa.Column("version", sa.Integer, nullable=False),
            _text("digest", nullable=False),
            _time("created", nullable=False),
        ),
        event=table(
            "event",
            _text("job", primary_key=True),
            sa.Column("seq", sa.Integer, primary_key=True),
            _text("type", nullable=False),
            sa.Column("run", sa.Integer, nullable=False),
            _text("data", nullable=False),
            _time("at", nullable=False),
        ),
        line=table(
            "line",
            sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
            _text("job", nullable=False, index=True),
            sa.Column("run", sa.Integer, nullable=False),
            _text("level", nullable=False),
            _text("message", nullable=False),
            _text("fields", nullable=False),
            _time("at", nullable=False),
        ),
        lease=table(
            "lease",
            _text("worker", primary_key=True),
            _text("host", nullable=False),
            sa.Column("pid", sa.Integer, nullable=False),
            _text("queues", nullable=False),
            _time("started", nullable=False),
            _time("renewed", nullable=False),
            _time("expires", nullable=False),
        ),
        tick=table("tick", _text("name", primary_key=True), _time("last", nullable=False), _text("described", nullable=False)),
        stream=table(
            "stream",
            _text("job", primary_key=True),
            _text("name", primary_key=True),
            _text("content_type", nullable=False),
            _text("metadata", nullable=False),
            sa.Column("run", sa.Integer, nullable=False),
            sa.Column("length", sa.BigInteger, nullable=False),
            sa.Column("closed", sa.Boolean, nullable=False),
            _time("created", nullable=False),
            _time("expires"),
        ),
        chunk=table(
            "chunk",
            _text("job", primary_key=True),
            _text("stream", primary_key=True),
            sa.Column("run", sa.Integer, primary_key=True),
            sa.Column("at", sa.BigInteger, primary_key=True),
            sa.Column("data", sa.LargeBinary, nullable=False),
        ),
        value=table(
            "value",
            _text("namespace", primary_key=True),
            _text("key", primary_key=True),
            _text("value", nullable=False),
            _time("updated", nullable=False),
            _time("expires", index=True),
        ),
        task=table(
            "task",
            _text("id", primary_key=True),
            _text("title", nullable=False),
            _text("description", nullable=False),
            _text("tags", nullable=False),
            _text("status", nullable=False),
            _text("job", index=True),
            _time("created", nullable=False),
            _time("updated", nullable=False),
        ),
        blob=table(
            "blob",
            _text("id", primary_key=True),
            sa.Column("size", sa.BigInteger, nullable=False),
            _text("content_type", nullable=False),
            _time("created", nullable=False),
            _time("expires", index=True),
        ),
    )
