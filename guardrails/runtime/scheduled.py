"""Schedules at work: each tick becomes a job under the tick's own key, whichever worker sees it first.

A tick that finds the last one's job still active is skipped.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

from guardrails.runtime.declare import Job, checked_key, registry
from guardrails.runtime.enqueue import prepared
from guardrails.runtime.errors import DatabaseRefused, DeclarationError, KeyConflict, RuntimeFault
from guardrails.runtime.home import Home
from guardrails.runtime.store.database import Database
from guardrails.runtime.store.jobs import New
from guardrails.runtime.store.tables import ACTIVE
from guardrails.runtime.ticks import Cron, Every, Missed, Schedule, due, run_key

log = logging.getLogger("guardrails.runtime")
MAKING = 5.0  # seconds that a payload function may take
_making: dict[str, threading.Thread] = {}
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


def tick(home: Home, now: float | None = None) -> list[str]:
    """Queue what is due at `now` (epoch seconds; by default the database's clock, one for all workers); the ids of the new jobs.

    Raises DatabaseRefused.
    """
    if now is None:
        with home.database.read() as connection:
            now = float(connection.execute(sa.select(home.database.now)).scalar_one())
    seen = lasts(home.database)
    ticked = [_apart(home, one, seen.get((one.name, one.described)), now) for one in list(registry.schedules.values())]
    return [job for job in ticked if job is not None]


def _apart(home: Home, declared: Scheduled, last: float | None, now: float) -> str | None:
    """The tick of one schedule; what is wrong with it does not stop the others."""
    try:
        return _tick(home, declared, last, now)
    except DatabaseRefused:
        raise
    except RuntimeFault as fault:
        log.error("Schedule %s could not be looked at: %s", declared.name, fault)
        return None


def lasts(database: Database) -> dict[tuple[str, str], float]:
    """How far (epoch seconds) each rhythm was looked at, by its schedule's name and its own description."""
    with database.read() as connection:
        return {(row.name, row.described): row.last for row in connection.execute(sa.select(database.tables.tick))}


def _tick(home: Home, declared: Scheduled, last: float | None, now: float) -> str | None:
    ticks, new = due(declared.when, last, now, declared.missed)
    if new == last:
        return None
    job = _made(declared, ticks[0]) if ticks else None  # before the transaction: it is the application's code
    with home.database.begin() as connection:
        if not _claim(home, connection, declared, last, new) or job is None:
            return None
        busy = _busy(home, connection, declared)
        if busy is not None:
            when = run_key("", ticks[0])[1:]
            log.warning("Schedule %s: the tick of %s is skipped, job %s of an earlier one is not over.", declared.name, when, busy)
            return None
        try:
            added, created = home.jobs.add(connection, job)
        except KeyConflict as conflict:  # another release, or a payload function that gives something else for the same time
            log.error("Schedule %s: this tick is skipped, as it is queued already with another payload: %s", declared.name, conflict)
            return None
        return added if created else None


def _claim(home: Home, connection: sa.Connection, declared: Scheduled, last: float | None, new: float) -> bool:
    """Move the schedule on to `new`; False where another worker did. Each rhythm is kept for itself: two releases may be at work."""
    table = home.database.tables.tick
    if last is None:
        values = {"name": declared.name, "last": new, "described": declared.described}
        added = connection.execute(home.database.insert(table).values(**values).on_conflict_do_nothing().returning(table.c.name))
        return added.scalar() is not None
    moved = sa.update(table).where(table.c.name == declared.name, table.c.described == declared.described, table.c.last == last)
    return connection.execute(moved.values(last=new)).rowcount == 1


def _busy(home: Home, connection: sa.Connection, declared: Scheduled) -> str | None:
    job = home.database.tables.job
    query = (
        sa.select(job.c.id)
        .where(job.c.status.in_(ACTIVE), job.c.name == declared.job.name, job.c.key.startswith(f"{declared.name}@", autoescape=True))
        .limit(1)
    )
    return connection.execute(query).scalar()


def _made(declared: Scheduled, when: float) -> New | None:
    """A tick's job; None where its payload cannot be made in time, which is told, and holds up no other schedule."""
    given, made, told = declared.payload, list[New](), run_key("", when)[1:]

    def make() -> None:
        try:
            payload = given if isinstance(given, BaseModel) else given(datetime.fromtimestamp(when, UTC))
            made.append(prepared(declared.job, payload, run_key(declared.name, when)))
        except Exception:
            log.exception("Schedule %s: the payload of its tick of %s cannot be made", declared.name, told)

    if isinstance(given, BaseModel):
        make()
    elif declared.name in _making and _making[declared.name].is_alive():
        log.error("Schedule %s: its payload function has not returned since an earlier tick", declared.name)
    else:
        thread = _making[declared.name] = threading.Thread(target=make, name=f"schedule-{declared.name}", daemon=True)
        thread.start()
        thread.join(MAKING)
    if not made:
        log.error("Schedule %s: the tick of %s is skipped, as its payload was not made (%g s at most).", declared.name, told, MAKING)
    return made[0] if made else None
