"""How a job gets into the database: its key, its row and the engine's first attempt, in as few messages as the connection allows."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from guardrails.runtime.engine import Client
from guardrails.runtime.store.database import Database
from guardrails.runtime.store.prepared import Prepared, converter

_FRESH = {
    "status": "'queued'",
    **dict.fromkeys(("generation", "attempt", "steps_from", "seq"), "1"),
    **dict.fromkeys(("runs", "starts", "ended"), "0"),
    "cancel": "false",
}


@dataclass(frozen=True, slots=True)
class New:
    """A job to queue."""

    name: str
    key: str
    queue: str
    version: int
    payload: str
    digest: str
    attempts: int
    delay: float = 0.0


_CLAIM = {"job": "id", "name": "name", "key": "key", "version": "version", "digest": "digest"}
_ROW = ("id", "name", "key", "queue", "version", "payload", "attempts")


class Entry:
    """Writes new jobs into one database; a job whose key is known is not written.

    Parameters of the statements: `new_..` is of the job, `of_delay` how long it waits (seconds, or None), all others are columns of the
    engine's.
    """

    def __init__(self, database: Database, client: Client) -> None:
        self._database, self._client = database, client
        key, job, now = database.tables.key, database.tables.job, database.now
        of_key = {column: sa.bindparam(f"new_{name}", type_=key.c[column].type) for column, name in _CLAIM.items()}
        self._claim = database.insert(key).values(created=now, **of_key).on_conflict_do_nothing().returning(key.c.job)
        self._row: dict[str, sa.ColumnElement[Any]] = {name: sa.bindparam(f"new_{name}", type_=job.c[name].type) for name in _ROW}
        self._row |= {name: sa.literal_column(value) for name, value in _FRESH.items()}
        self._row |= {"created": now, "due": now + sa.bindparam("of_delay", type_=sa.Double)}

    def one(self, connection: sa.Connection, job: str, new: New) -> bool:
        """Queue a job in the connection's transaction; whether its key was new."""
        if not self._database.owns(connection):
            return self._elsewhere(connection, job, new)
        values = self._values(job, new)
        if self._at_once is not None:
            return self._at_once.run(connection, values).scalar() is not None
        if self._claimed.run(connection, values).scalar() is None:
            return False
        for statement in self._inserts:
            statement.run(connection, values)
        return True

    def many(self, connection: sa.Connection, jobs: Sequence[tuple[str, New]]) -> set[str]:
        """Queue jobs with one statement for each table; the ids of those whose key was new."""
        claims = [_claim(job, new) for job, new in jobs]
        claims.sort(key=lambda claim: (claim["new_name"], claim["new_key"]))  # for all callers in one order, so that they wait in no ring
        fresh = set(connection.execute(self._claim, claims).scalars())
        rows = [self._values(job, new) for job, new in jobs if job in fresh]
        for statement in self._inserts if rows else ():
            statement.run_many(connection, rows)
        return fresh

    def _elsewhere(self, connection: sa.Connection, job: str, new: New) -> bool:
        """The same in a transaction of the application's, by whichever driver it has."""
        if connection.execute(self._claim, _claim(job, new)).scalar() is None:
            return False
        values = {**{f"new_{name}": getattr(new, name) for name in _ROW[1:]}, "new_id": job, "of_delay": new.delay or None}
        connection.execute(sa.insert(self._database.tables.job).values(self._row), values)
        self._client.queue(connection, new.queue, job, 1, 1, new.delay)
        return True

    def _values(self, job: str, new: New) -> dict[str, Any]:
        values = {**_claim(job, new), "new_queue": new.queue, "new_payload": new.payload, "new_attempts": new.attempts}
        values["of_delay"] = new.delay or None
        for row in self._client.rows(new.queue, job, new.delay).values():
            values |= row
        return values

    @functools.cached_property
    def _parts(self) -> dict[sa.Table, dict[str, sa.ColumnElement[Any]]]:
        """What is written beside the key: the values of each table's columns, but for those of the engine's that it leaves empty."""
        parts = {self._database.tables.job: self._row}
        for table, row in self._client.rows("", "", delay=1.0).items():
            filled = (table.c[name] for name, value in row.items() if not self._empty(table.c[name], value))
            parts[table] = {column.name: sa.bindparam(column.name, type_=column.type) for column in filled}
        return parts

    def _empty(self, column: "sa.Column[Any]", value: Any) -> bool:
        convert = converter(column.type, self._database.engine.dialect)
        return (convert(value) if convert else value) is None

    @functools.cached_property
    def _claimed(self) -> Prepared:
        return self._prepared(self._claim)

    @functools.cached_property
    def _inserts(self) -> list[Prepared]:
        return [self._prepared(sa.insert(table).values(row)) for table, row in self._parts.items()]

    @functools.cached_property
    def _at_once(self) -> Prepared | None:
        """All of it as one statement, which gives the id of a job that is new; SQLite has no such thing."""
        if self._database.dialect == "sqlite":
            return None
        claimed = self._claim.cte("claimed")
        rest = [
            sa.insert(table).from_select(list(row), sa.select(*row.values()).select_from(claimed)).cte(table.name)
            for table, row in self._parts.items()
        ]
        return self._prepared(sa.select(claimed.c.job).add_cte(*rest))

    def _prepared(self, statement: Any) -> Prepared:
        return Prepared(statement, self._database.engine)


def _claim(job: str, new: New) -> dict[str, Any]:
    return {"new_id": job, "new_name": new.name, "new_key": new.key, "new_version": new.version, "new_digest": new.digest}
