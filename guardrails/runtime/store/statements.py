"""The statements that every job goes through, built once: building one costs more than running it."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from guardrails.runtime.store.database import Database
from guardrails.runtime.store.prepared import Prepared
from guardrails.runtime.store.tables import ACTIVE

STARTED = tuple("id name key queue version payload attempts runs starts generation attempt steps_from created fence".split())
"""What of its row a run needs."""


class Statements:
    """Prepared for one database; parameters that are no columns of the statement's own begin with `of_` or `new_`.

    On PostgreSQL what most runs go through is one statement each, a transaction of its own: the begin of one that follows no death
    (`begin_at_once`), and its end (`end_at_once`). On SQLite these are None. `known_key` is for any connection, also a caller's.
    """

    def __init__(self, database: Database) -> None:
        self._tables, self._now = database.tables, database.now
        job, event, key = database.tables.job, database.tables.event, database.tables.key

        def prepared(statement: Any) -> Prepared:
            return Prepared(statement, database.engine)

        told = {column.name: sa.bindparam(column.name, type_=column.type) for column in event.c if column.name != "at"}
        self.add_event = prepared(sa.insert(event).values(at=self._now, **told))
        start = self._start()
        self.start = prepared(start)
        self.begun = prepared(sa.select(*(job.c[name] for name in STARTED)).where(*self._of_run(), job.c.status == "running"))
        self.ended = prepared(
            sa.select(job.c.id).where(
                job.c.id == sa.bindparam("of_job"),
                job.c.generation == sa.bindparam("of_generation"),
                job.c.starts == sa.bindparam("of_start"),
                job.c.ended == job.c.starts,
                job.c.status == sa.bindparam("of_status"),
            )
        )
        end, end_for_now = self._ends()
        self.end, self.end_for_now = prepared(end), prepared(end_for_now)
        note = sa.update(job).where(*self._of_run()).values(seq=job.c.seq + 1, progress=sa.bindparam("new_progress"))
        self.progress = prepared(note.returning(*job.c))
        self.known_key = (
            sa.select(key.c.job, key.c.digest, key.c.version, job.c.payload)
            .select_from(key.outerjoin(job, job.c.id == key.c.job))
            .where(key.c.name == sa.bindparam("of_name"), key.c.key == sa.bindparam("of_key"))
        )
        self.begin_at_once: Prepared | None = None
        self.end_at_once: Prepared | None = None
        if database.dialect == "postgresql":
            alive = start.where(job.c.starts == job.c.ended, sa.not_(job.c.cancel))
            self.begin_at_once = prepared(self._with_event(alive, STARTED))
            self.end_at_once = prepared(self._with_event(end, ("id",)))

    def _of_run(self) -> tuple[sa.ColumnElement[bool], ...]:
        job = self._tables.job
        return job.c.id == sa.bindparam("of_job"), job.c.fence == sa.bindparam("of_fence")

    def _start(self) -> Any:
        job = self._tables.job
        died = sa.case((job.c.starts > job.c.ended, 1), else_=0)
        return (
            sa.update(job)
            .where(job.c.id == sa.bindparam("of_job"), job.c.generation == sa.bindparam("of_generation"))
            .where(job.c.attempt == sa.bindparam("of_attempt"), sa.or_(*(job.c.status == status for status in ACTIVE)))
            .where(sa.or_(job.c.fence.is_(None), job.c.fence != sa.bindparam("new_fence", type_=sa.Text)))
            .values(
                status="running",
                fence=sa.bindparam("new_fence"),
                worker=sa.bindparam("new_worker"),
                starts=job.c.starts + 1,
                runs=job.c.runs + died,
                seq=job.c.seq + 1 + died,
                started=self._now,
                due=None,
            )
            .returning(*job.c)
        )

    def _ends(self) -> tuple[Any, Any]:
        """For good, and until the next attempt."""
        job, now = self._tables.job, self._now
        ended = (
            sa.update(job)
            .where(*self._of_run())
            .values(
                status=sa.bindparam("new_status"),
                fence=None,
                worker=None,
                ended=job.c.starts,
                runs=job.c.runs + sa.bindparam("of_runs", type_=sa.Integer),
                seq=job.c.seq + sa.bindparam("of_events", type_=sa.Integer),
                error=sa.bindparam("new_error"),
                result=sa.bindparam("new_result"),
            )
            .returning(*job.c)
        )
        later = now + sa.bindparam("of_delay", type_=sa.Double)
        due = sa.case((job.c.cancel, now), else_=later)  # a job that is to be cancelled waits for nothing
        return ended.values(due=None, finished=now), ended.values(attempt=job.c.attempt + 1, due=due, finished=None)

    def _with_event(self, update: Any, columns: Iterable[str]) -> Any:
        """An update of a job's row with its last event, `new_type` and `new_data`: these columns, no row where nothing was written."""
        event = self._tables.event
        row = update.cte("row")
        told = {
            "job": row.c.id,
            "seq": row.c.seq,
            "type": sa.bindparam("new_type", type_=sa.Text),
            "run": row.c.starts,
            "data": sa.bindparam("new_data", type_=sa.Text),
            "at": self._now,
        }
        wanted = sa.select(*(row.c[name] for name in columns))
        return wanted.add_cte(sa.insert(event).from_select(list(told), sa.select(*told.values())).cte("told"))
