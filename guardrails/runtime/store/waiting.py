"""How long jobs wait, and which were over before a time: questions about ages, by the database's clock."""

import sqlalchemy as sa

from guardrails.runtime.store.database import DAY, Database


def ages(database: Database) -> dict[str, float]:
    """For how many seconds the job of each queue that waits for longest has been due; queues in which nothing is due are left out."""
    job = database.tables.job
    due = sa.func.coalesce(job.c.due, job.c.created)
    query = sa.select(job.c.queue, (database.now - sa.func.min(due)).label("age")).where(
        job.c.status.in_(("queued", "retrying")), due <= database.now
    )
    with database.read() as connection:
        return {row.queue: max(0.0, float(row.age)) for row in connection.execute(query.group_by(job.c.queue))}


def dead_for(database: Database, days: float) -> list[str]:
    """The ids of jobs that have been dead letters for at least so many days, the oldest first."""
    job = database.tables.job
    query = sa.select(job.c.id).where(job.c.status == "dead", job.c.finished <= database.now - days * DAY).order_by(job.c.id)
    with database.read() as connection:
        return list(connection.execute(query).scalars())
