"""Schedules at work: each tick becomes a job under the tick's own key, whichever worker sees it first.

A tick that finds the last one's job still active is skipped.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

from guardrails.runtime.declare import Job, checked_key, registry
from guardrails.runtime.enqueue import prepared
from guardrails.runtime.errors import DeclarationError
from guardrails.runtime.home import Home
from guardrails.runtime.store.jobs import New
from guardrails.runtime.store.tables import ACTIVE
from guardrails.runtime.ticks import Cron, Every, Missed, Schedule, due, run_key

log = logging.getLogger("guardrails.runtime")
Payload = BaseModel | Callable[[datetime], BaseModel]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A declared schedule."""

    name: str
    when: Schedule
    job: Job[Any, Any]
    payload: Payload
    missed: Missed

    @property
    def described(self) -> str:
        """What distinguishes this rhythm from another, so that a changed one begins anew."""
        return repr(self.when)


def schedule(
    name: str,
    cron: str | None = None,
    target: Job[Any, Any] | Any = None,
    *,
    every: float | None = None,
    payload: Payload | None = None,
    zone: str = "UTC",
    missed: Missed = "skip",
) -> Scheduled:
    """Run `target` at each tick of a cron expression (in `zone`) or `every` so many seconds.

    `target` is a job, `runtime.destinations.http(..)` or `runtime.sandbox.command(..)`. `payload` is what the job gets, or a function of
    the tick (an aware datetime in UTC). Each tick is queued once under a key of its own, `NAME@TIME`, by whichever worker sees it; while
    the job of an earlier tick waits or runs, ticks are skipped: at most one runs, none wait. `missed`: what happens to ticks that fell
    while no worker ran. Raises DeclarationError.
    """
    if (cron is None) == (every is None):
        raise DeclarationError(f'Schedule {name} needs either a cron expression ("0 2 * * *") or every=seconds.')
    if missed not in ("skip", "once"):
        raise DeclarationError(f"Schedule {name}: missed is 'skip' or 'once', not {missed!r}.")
    checked_key(f"schedule {name}", name)
    job, given = _job_of(name, target, payload)
    declared = Scheduled(name, Cron(cron, zone) if cron is not None else Every(every or 0.0), job, given, missed)
    registry.schedules[name] = declared
    return declared


def _job_of(name: str, target: Any, payload: Payload | None) -> tuple[Job[Any, Any], Payload]:
    from guardrails.runtime import targets

    if not isinstance(target, Job):
        return targets.job_for(name, target)
    if payload is None:
        raise DeclarationError(f"Schedule {name} needs payload=.., what {target.name} gets: a model, or a function of the tick's time.")
    return target, payload


def tick(home: Home, now: float) -> list[str]:
    """Queue what is due at `now` (epoch seconds); the ids of the new jobs. Raises DatabaseRefused."""
    return [job for declared in list(registry.schedules.values()) if (job := _tick(home, declared, now)) is not None]


def _tick(home: Home, declared: Scheduled, now: float) -> str | None:
    table = home.database.tables.tick
    with home.database.read() as connection:
        row = connection.execute(sa.select(table).where(table.c.name == declared.name)).one_or_none()
    last = row.last if row is not None and row.described == declared.described else None
    ticks, new = due(declared.when, last, now, declared.missed)
    if new == last:
        return None
    job = _made(declared, ticks[0]) if ticks else None  # before the transaction: it is the application's code
    with home.database.begin() as connection:
        if not _claim(home, connection, declared, row, new) or job is None:
            return None
        busy = _busy(home, connection, declared)
        if busy is not None:
            log.warning(
                "Schedule %s: the tick of %s is skipped, job %s of an earlier one is not over.",
                declared.name,
                run_key("", ticks[0])[1:],
                busy,
            )
            return None
        return home.jobs.add(connection, job)[0]


def _claim(home: Home, connection: sa.Connection, declared: Scheduled, row: Any, new: float) -> bool:
    """Move the schedule on to `new`; False where another worker did."""
    table = home.database.tables.tick
    if row is None:
        values = {"name": declared.name, "last": new, "described": declared.described}
        added = connection.execute(home.database.insert(table).values(**values).on_conflict_do_nothing().returning(table.c.name))
        return added.scalar() is not None
    moved = sa.update(table).where(table.c.name == declared.name, table.c.last == row.last, table.c.described == row.described)
    return connection.execute(moved.values(last=new, described=declared.described)).rowcount == 1


def _busy(home: Home, connection: sa.Connection, declared: Scheduled) -> str | None:
    job = home.database.tables.job
    query = (
        sa.select(job.c.id)
        .where(job.c.status.in_(ACTIVE), job.c.name == declared.job.name, job.c.key.startswith(f"{declared.name}@", autoescape=True))
        .limit(1)
    )
    return connection.execute(query).scalar()


def _made(declared: Scheduled, when: float) -> New | None:
    """A tick's job; None where its payload cannot be made, which is told, and holds up no other schedule."""
    given = declared.payload
    try:
        payload = given if isinstance(given, BaseModel) else given(datetime.fromtimestamp(when, UTC))
        return prepared(declared.job, payload, run_key(declared.name, when))
    except Exception:
        log.exception("Schedule %s: the tick of %s is skipped, as its payload cannot be made", declared.name, run_key("", when)[1:])
        return None
