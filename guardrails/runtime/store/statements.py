"""The statements that every job goes through, built once: building one costs more than running it."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from guardrails.runtime.store.database import Database
from guardrails.runtime.store.tables import ACTIVE

STARTED = tuple("id name key queue version payload attempts runs starts generation attempt steps_from created fence".split())
"""What of its row a run needs."""
_FRESH: dict[str, Any] = {
    "status": "queued",
    "generation": 1,
    "attempt": 1,
    "steps_from": 1,
    "seq": 1,
    "runs": 0,
    "starts": 0,
    "ended": 0,
    "cancel": False,
}


class Statements:
    """Prepared for one database; parameters that are no columns of the statement's own begin with `of_` or `new_`.

    On PostgreSQL what most jobs go through is one statement each: key and row of a new job (`enqueue`, nothing for a known key), and, as
    transactions of their own, the begin of a run that follows no death (`begin_at_once`) and its end (`end_at_once`). On SQLite these are
    None.
    """

    def __init__(self, database: Database) -> None:
        self._tables, self._now = database.tables, database.now
        job, event = database.tables.job, database.tables.event
        self.add_event = sa.insert(event).values(at=self._now)
        self.start = self._start()
        self.begun = sa.select(*(job.c[name] for name in STARTED)).where(*self._of_run(), job.c.status == "running")
        self.ended = sa.select(job.c.id).where(
            job.c.id == sa.bindparam("of_job"),
            job.c.generation == sa.bindparam("of_generation"),
            job.c.starts == sa.bindparam("of_start"),
            job.c.ended == job.c.starts,
            job.c.status == sa.bindparam("of_status"),
        )
        self.end, self.end_for_now = self._ends()
        note = sa.update(job).where(*self._of_run()).values(seq=job.c.seq + 1, progress=sa.bindparam("new_progress"))
        self.progress = note.returning(*job.c)
        self._enqueues(database)
        self.enqueue = self.begin_at_once = self.end_at_once = None
        if database.dialect == "postgresql":
            alive = self.start.where(job.c.starts == job.c.ended, sa.not_(job.c.cancel))
            self.begin_at_once = self._with_event(alive, STARTED)
            self.end_at_once = self._with_event(self.end, ("id",))
            self.enqueue = self._enqueue(database)

    def _of_run(self) -> tuple[sa.ColumnElement[bool], ...]:
        job = self._tables.job
        return job.c.id == sa.bindparam("of_job"), job.c.fence == sa.bindparam("of_fence")

    def _enqueues(self, database: Database) -> None:
        job, key, now = self._tables.job, self._tables.key, self._now
        self.claim_key = database.insert(key).values(created=now).on_conflict_do_nothing().returning(key.c.job)
        self.known_key = (
            sa.select(key.c.job, key.c.digest, key.c.version, job.c.payload)
            .select_from(key.outerjoin(job, job.c.id == key.c.job))
            .where(key.c.name == sa.bindparam("of_name"), key.c.key == sa.bindparam("of_key"))
        )
        constants = {name: sa.literal(value) for name, value in _FRESH.items()}
        self.add_job = sa.insert(job).values(created=now, **constants)
        self.add_late_job = self.add_job.values(due=now + sa.bindparam("of_delay", type_=sa.Double))

    def _enqueue(self, database: Database) -> Any:
        """Key and row of a new job, due at once or after `of_delay` (seconds, else None): its id, or none where the key is known."""
        job, key, now = self._tables.job, self._tables.key, self._now
        new: dict[str, sa.ColumnElement[Any]] = {
            column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in (*key.c, *job.c)
        }
        new |= {name: sa.literal(value) for name, value in _FRESH.items()} | {"created": now}
        claim = {
            "name": new["name"],
            "key": new["key"],
            "job": new["id"],
            "version": new["version"],
            "digest": new["digest"],
            "created": now,
        }
        claimed = database.insert(key).values(claim).on_conflict_do_nothing().returning(key.c.job).cte("claimed")
        row = {name: new[name] for name in ("id", "name", "key", "queue", "version", "payload", "attempts", "created", *_FRESH)}
        row["due"] = now + sa.bindparam("of_delay", type_=sa.Double)
        return sa.insert(job).from_select(list(row), sa.select(*row.values()).select_from(claimed)).returning(job.c.id)

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
