"""The life of a job, one transaction a step: queued, started, and every way a run can end. Each write by a run compares its fence."""

import json
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from guardrails.runtime.engine import Client
from guardrails.runtime.errors import KeyConflict, RuntimeFault, UnknownJob, WrongState
from guardrails.runtime.plain import known, plain
from guardrails.runtime.store.database import Database
from guardrails.runtime.store.entry import Entry
from guardrails.runtime.store.entry import New as New
from guardrails.runtime.store.statements import STARTED, Statements
from guardrails.runtime.store.tables import ACTIVE

StatusHook = Callable[[sa.Connection, "Event"], None]
_TRIES = 3  # of queueing a job whose key is forgotten at the same time
in_hook: ContextVar[bool] = ContextVar("in_hook", default=False)
"""Whether a status hook runs, within a transaction that holds up other writers."""
log = logging.getLogger("guardrails.runtime")


@dataclass(frozen=True, slots=True)
class Event:
    """One event in a job's life: `seq` counts within the job from 1, `at` is epoch seconds, `status` is the job's from then on."""

    job: str
    name: str
    key: str
    seq: int
    type: str
    status: str
    run: int
    at: float
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Started:
    """A run that may begin: what it works on, and the fence that its writes carry."""

    id: str
    name: str
    key: str
    queue: str
    version: int
    payload: str
    attempts: int
    runs: int
    start: int
    generation: int
    attempt: int
    steps_from: int
    created: float
    fence: str


@dataclass(frozen=True, slots=True)
class Dead:
    """A job whose last run has died with its worker."""

    id: str
    name: str
    error: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends: the job's next status, the events that say so, and whether the run counts."""

    status: Literal["queued", "retrying", "done", "dead", "cancelled"]
    events: Sequence[tuple[str, dict[str, Any]]]
    counts: bool
    error: str | None = None
    result: str | None = None
    delay: float = 0.0


def new_id() -> str:
    """A job's id: sorts by time (48 bits of milliseconds), cannot be guessed (64 random bits)."""
    return f"{int(time.time() * 1000):012x}{secrets.token_hex(8)}"


def new_fence() -> str:
    """What a run's writes carry."""
    return secrets.token_hex(8)


class Jobs:
    """The jobs of one database."""

    def __init__(self, database: Database, client: Client, hooks: Sequence[StatusHook] = ()) -> None:
        self.database = database
        self.client = client
        self._hooks = hooks
        self._do = Statements(database)
        self._entry = Entry(database, client)
        self._job = database.tables.job

    def adding(self) -> AbstractContextManager[sa.Connection]:
        """A connection to `add` one job by: without a transaction around it where that is one statement."""
        return self.database.begin() if self._hooks or self.database.dialect == "sqlite" else self.database.alone()

    def add(self, connection: sa.Connection, new: New, compare: Callable[[str, int], str] | None = None) -> tuple[str, bool]:
        """Queue a job unless its key is known: (id, whether it is new).

        `compare(payload, version)` gives the digest that an older payload has in the present version. Raises KeyConflict.
        """
        for _ in range(_TRIES):
            job = new_id()
            if self._entry.one(connection, job, new):
                self._queued(connection, job, new)
                return job, True
            if (first := self._known(connection, new, compare)) is not None:
                return first, False
        raise RuntimeFault(f"Job {new.name} with key {new.key!r} was not queued: its key is being forgotten over and over.")

    def add_many(self, connection: sa.Connection, news: Sequence[New], compare: Callable[[str, int], str]) -> list[tuple[str, bool]]:
        """As `add` for each, in their order, with few statements for all."""
        jobs = [(new_id(), new) for new in news]
        fresh = self._entry.many(connection, jobs) if jobs else set()
        for job, new in jobs:
            if job in fresh:
                self._queued(connection, job, new)
        return [(job, True) if job in fresh else self._again(connection, new, compare) for job, new in jobs]

    def _again(self, connection: sa.Connection, new: New, compare: Callable[[str, int], str]) -> tuple[str, bool]:
        """A job whose key was known a moment ago."""
        first = self._known(connection, new, compare)
        return self.add(connection, new, compare) if first is None else (first, False)

    def _queued(self, connection: sa.Connection, job: str, new: New) -> None:
        """Tell the hooks; the event itself is the job's row: every reader puts it first."""
        if self._hooks:
            self._tell(connection, Event(job, new.name, new.key, 1, "Queued", "queued", 0, time.time(), {}))

    def _known(self, connection: sa.Connection, new: New, compare: Callable[[str, int], str] | None) -> str | None:
        """The job that has the key; None where it was forgotten meanwhile."""
        first = connection.execute(self._do.known_key, {"of_name": new.name, "of_key": new.key}).one_or_none()
        if first is None:
            return None
        digest = first.digest
        if first.version != new.version and first.payload is not None and compare is not None:
            digest = compare(first.payload, first.version)
        elif first.version != new.version:
            digest = new.digest  # the first payload was pruned; only its digest in an older version is left
        if digest != new.digest:
            raise KeyConflict(
                f"Job {new.name} was queued before with key {new.key!r} and another payload (job {first.job}): "
                "the same work must have the same payload; other work needs another key.",
                first.job,
            )
        return str(first.job)

    def start(self, job: str, generation: int, attempt: int, worker: str, fence: str = "") -> Started | Dead | None:
        """Begin a run of an attempt; None where there is nothing to run, as the job has moved on.

        A call that is made again with its `fence`, as the first answer was lost, gives the run that has begun. A run that nobody ended died
        with its worker: it is counted here, where the next one begins; Dead where it was the last that the job had.
        """
        fence = fence or new_fence()
        which = {"of_job": job, "of_generation": generation, "of_attempt": attempt, "new_fence": fence, "new_worker": worker}
        if self._do.begin_at_once is not None and not self._hooks:
            told = {"new_type": "Started", "new_data": json.dumps({"worker": worker})}
            with self.database.alone() as connection:
                row = self._do.begin_at_once.run(connection, {**which, **told}).one_or_none()
            if row is not None:
                return _started(row)
        with self.database.begin() as connection:
            row = self._do.start.run(connection, which).one_or_none()
            if row is None:
                begun = self._do.begun.run(connection, {"of_job": job, "of_fence": fence}).one_or_none()
                return None if begun is None else _started(begun)
            if row.starts - 1 > row.ended:
                self._record(connection, row, row.seq - 1, "Rescued", "running", {"runs": row.runs, "of": row.attempts})
                if row.runs >= row.attempts:
                    return self._died_for_good(connection, row)
            if row.cancel:  # somebody asked for it during the run before this one, which ended in another way
                self._do.end.run(connection, {**_ends(row), "new_status": "cancelled", "new_error": row.error})
                self._record(connection, row, row.seq, "Cancelled", "cancelled", {})
                return None
            self._record(connection, row, row.seq, "Started", "running", {"worker": worker})
        return _started(row)

    def _died_for_good(self, connection: sa.Connection, row: Any) -> Dead:
        error = f"its worker or its process died in run {row.runs} of {row.attempts}"
        self._do.end.run(connection, {**_ends(row), "new_status": "dead", "new_error": error})
        self._record(connection, row, row.seq, "DeadLettered", "dead", {"error": error, "runs": row.runs})
        return Dead(row.id, row.name, error)

    def end(self, started: Started, ending: Ending) -> bool:
        """Record how a run ended, with its events and the next attempt, in one transaction.

        False where the run lost its fence: then nothing was written. True also where a call that is made again finds it recorded.
        """
        again = ending.status in ("queued", "retrying")
        values: dict[str, Any] = {
            "of_job": started.id,
            "of_fence": started.fence,
            "of_runs": int(ending.counts),
            "of_events": len(ending.events),
            "new_status": ending.status,
            "new_error": None if ending.error is None else plain(ending.error),
            "new_result": ending.result,
        }
        if self._do.end_at_once is not None and not self._hooks and not again and len(ending.events) == 1:
            ((kind, data),) = ending.events
            with self.database.alone() as connection:
                told = self._do.end_at_once.run(connection, {**values, "new_type": kind, "new_data": json.dumps(data)})
                if told.one_or_none() is not None:
                    return True
        with self.database.begin() as connection:
            if again:
                row = self._do.end_for_now.run(connection, {**values, "of_delay": ending.delay}).one_or_none()
            else:
                row = self._do.end.run(connection, values).one_or_none()
            if row is None:
                of_run = {"of_job": started.id, "of_generation": started.generation, "of_start": started.start}
                return self._do.ended.run(connection, {**of_run, "of_status": ending.status}).scalar() is not None
            if again:
                self.client.queue(connection, row.queue, row.id, row.generation, row.attempt, 0.0 if row.cancel else ending.delay)
            for place, (kind, data) in enumerate(ending.events):
                self._record(connection, row, row.seq - len(ending.events) + 1 + place, kind, ending.status, data)
        return True

    def pass_on(self, job: str, generation: int, attempt: int, why: str) -> bool:
        """Queue an attempt anew that was claimed and not begun, as the next one; False where the job has moved on.

        One that is running was begun by a worker that died: the next start counts that.
        """
        table = self._job
        moved = (
            sa.update(table)
            .where(table.c.id == job, table.c.generation == generation, table.c.attempt == attempt)
            .where(table.c.status.in_(ACTIVE))
            .values(attempt=table.c.attempt + 1, seq=table.c.seq + 1)
            .returning(*table.c)
        )
        with self.database.begin() as connection:
            row = connection.execute(moved).one_or_none()
            if row is not None:
                self.client.queue(connection, row.queue, row.id, row.generation, row.attempt)
                self._record(connection, row, row.seq, "HandedBack", row.status, {"why": why})
        return row is not None

    def progress(self, started: Started, data: dict[str, Any]) -> bool:
        """Record how far a run is; False where the run lost its fence."""
        values = {"of_job": started.id, "of_fence": started.fence, "new_progress": json.dumps(data)}
        with self.database.begin() as connection:
            row = self._do.progress.run(connection, values).one_or_none()
            if row is not None:
                self._record(connection, row, row.seq, "Progress", "running", data)
        return row is not None

    def cancel(self, job: str) -> str:
        """Cancel: at once where no run is on, else its worker stops it; the status then. Raises UnknownJob or WrongState."""
        table, job = self._job, known("job", job)
        waits = (
            sa.update(table)
            .where(table.c.id == job, table.c.status.in_(("queued", "retrying")))
            .values(status="cancelled", seq=table.c.seq + 1, finished=self.database.now, due=None)
            .returning(*table.c)
        )
        runs = sa.update(table).where(table.c.id == job, table.c.status == "running").values(cancel=True)
        with self.database.begin() as connection:
            row = connection.execute(waits).one_or_none()
            if row is not None:
                self._record(connection, row, row.seq, "Cancelled", "cancelled", {})
            elif connection.execute(runs).rowcount == 0:
                raise WrongState(f"Job {job} is {self._status(connection, job)}; only a queued, retrying or running job can be cancelled.")
        if row is None:
            return "running"
        self.client.cancel(row.id, row.generation, row.attempt)
        return "cancelled"

    def requeue(self, job: str, from_start: bool = False) -> int:
        """Give a dead or cancelled job a new generation, which keeps its finished steps unless `from_start`; returns the generation.

        Raises UnknownJob or WrongState.
        """
        table, job = self._job, known("job", job)
        values: dict[str, Any] = {
            "status": "queued",
            "generation": table.c.generation + 1,
            "attempt": 1,
            "runs": 0,
            "seq": table.c.seq + 1,
            "cancel": False,
            "error": None,
            "finished": None,
            "ended": table.c.starts,
            "progress": None,
        }
        if from_start:
            values["steps_from"] = table.c.generation + 1
        update = sa.update(table).where(table.c.id == job, table.c.status.in_(("dead", "cancelled"))).values(**values).returning(*table.c)
        with self.database.begin() as connection:
            row = connection.execute(update).one_or_none()
            if row is None:
                raise WrongState(f"Job {job} is {self._status(connection, job)}; only a dead or cancelled job can be requeued.")
            self.client.queue(connection, row.queue, row.id, row.generation, 1)
            self._record(connection, row, row.seq, "Requeued", "queued", {"generation": row.generation, "from_start": from_start})
        return int(row.generation)

    def cancelled(self, among: Iterable[str]) -> set[str]:
        """Which of these running jobs somebody wants cancelled."""
        ids = list(among)
        if not ids:
            return set()
        with self.database.read() as connection:
            return set(connection.execute(sa.select(self._job.c.id).where(self._job.c.id.in_(ids), self._job.c.cancel)).scalars())

    def _status(self, connection: sa.Connection, job: str) -> str:
        status = connection.execute(sa.select(self._job.c.status).where(self._job.c.id == job)).scalar()
        if status is None:
            raise UnknownJob(f"There is no job {job} in {self.database.shown}.")
        return str(status)

    def _record(self, connection: sa.Connection, row: Any, seq: int, kind: str, status: str, data: dict[str, Any]) -> None:
        """Write an event and tell the application's hooks, in the caller's transaction."""
        values = {"job": row.id, "seq": seq, "type": kind, "run": row.starts, "data": json.dumps(data)}
        self._do.add_event.run(connection, values)
        if self._hooks:
            self._tell(connection, Event(row.id, row.name, row.key, seq, kind, status, row.starts, time.time(), data))

    def _tell(self, connection: sa.Connection, event: Event) -> None:
        for hook in self._hooks:
            try:
                with _apart(connection), _kept_open(connection):
                    hook(connection, event)
            except (Exception, SystemExit, KeyboardInterrupt) as error:
                log.exception(
                    "The status hook %s failed for job %s (%s): %s", getattr(hook, "__name__", hook), event.job, event.type, error
                )


def _ends(row: Any) -> dict[str, Any]:
    """What ends a job in the transaction that was about to start a run of it."""
    return {"of_job": row.id, "of_fence": row.fence, "of_runs": 0, "of_events": 0, "new_result": None}


def _started(row: Any) -> Started:
    return Started(*(getattr(row, name) for name in STARTED))


@contextmanager
def _apart(connection: sa.Connection) -> Iterator[None]:
    """What fails in here is undone alone.

    SQLAlchemy's own savepoint would lose all of PostgreSQL's transaction where a hook catches an error
    of the database's: nothing could be released, and nobody goes back.
    """
    connection.exec_driver_sql("SAVEPOINT guardrails_hook")
    token = in_hook.set(True)
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT guardrails_hook")
        raise
    finally:
        in_hook.reset(token)
    try:
        connection.exec_driver_sql("RELEASE SAVEPOINT guardrails_hook")
    except sa.exc.DBAPIError:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT guardrails_hook")
        raise RuntimeFault(
            "What it did is undone: it caught an error of the database's, after which PostgreSQL takes nothing more in this transaction. "
            "Do what may fail within `with connection.begin_nested():`."
        ) from None


@contextmanager
def _kept_open(connection: sa.Connection) -> Iterator[None]:
    """While a hook has the connection, the transaction that records the outcome is not the hook's to end."""

    def refused(*_: object) -> None:
        raise RuntimeFault("A status hook works within the transaction that records the status: it must not commit, roll back or close.")

    ends = dict.fromkeys(("commit", "rollback", "close", "invalidate", "detach"), refused)
    before = {name: vars(connection)[name] for name in ends if name in vars(connection)}
    vars(connection).update(ends)
    try:
        yield
    finally:
        for name in ends:
            vars(connection).pop(name, None)
        vars(connection).update(before)  # of a hook within a hook
