"""The statements that every job goes through, built once: building one costs more than running it."""

import sqlalchemy as sa

from guardrails.runtime.store.database import Database

ACTIVE = ("queued", "retrying", "running")


class Statements:
    """Prepared for one database; parameters that are no columns of the statement's own begin with `of_`."""

    def __init__(self, database: Database) -> None:
        job, key, event, now = database.tables.job, database.tables.key, database.tables.event, database.now
        of_job = job.c.id == sa.bindparam("of_job")
        of_fence = job.c.fence == sa.bindparam("of_fence")
        self.claim_key = database.insert(key).values(created=now).on_conflict_do_nothing().returning(key.c.job)
        fresh = {
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
        constants = {name: sa.literal(value) for name, value in fresh.items()}
        self.add_job = sa.insert(job).values(created=now, **constants)
        self.add_late_job = sa.insert(job).values(created=now, due=now + sa.bindparam("of_delay", type_=sa.Double), **constants)
        self.add_event = sa.insert(event).values(at=now)
        self.known_key = (
            sa.select(key.c.job, key.c.digest, key.c.version, job.c.payload)
            .select_from(key.outerjoin(job, job.c.id == key.c.job))
            .where(key.c.name == sa.bindparam("of_name"), key.c.key == sa.bindparam("of_key"))
        )
        died = sa.case((job.c.starts > job.c.ended, 1), else_=0)
        self.start = (
            sa.update(job)
            .where(of_job, job.c.generation == sa.bindparam("of_generation"), job.c.attempt == sa.bindparam("of_attempt"))
            .where(job.c.status.in_(ACTIVE))
            .values(
                status="running",
                fence=sa.bindparam("new_fence"),
                worker=sa.bindparam("new_worker"),
                starts=job.c.starts + 1,
                runs=job.c.runs + died,
                seq=job.c.seq + 1 + died,
                started=now,
                due=None,
            )
            .returning(*job.c)
        )
        ended = {
            "status": sa.bindparam("new_status"),
            "fence": None,
            "worker": None,
            "ended": job.c.starts,
            "runs": job.c.runs + sa.bindparam("of_runs", type_=sa.Integer),
            "seq": job.c.seq + sa.bindparam("of_events", type_=sa.Integer),
            "error": sa.bindparam("new_error"),
            "result": sa.bindparam("new_result"),
        }
        self.end = sa.update(job).where(of_job, of_fence).values(**ended, due=None, finished=now).returning(*job.c)
        later = now + sa.bindparam("of_delay", type_=sa.Double)
        due = sa.case((job.c.cancel, now), else_=later)  # a job that is to be cancelled waits for nothing
        again = {"attempt": job.c.attempt + 1, "due": due, "finished": None}
        self.end_for_now = sa.update(job).where(of_job, of_fence).values(**ended, **again).returning(*job.c)
        self.note = sa.update(job).where(of_job, of_fence).values(seq=job.c.seq + 1).returning(*job.c)
        self.note_progress = self.note.values(progress=sa.bindparam("new_progress"))
