"""A worker's lease: a row that says it is alive, by the database's clock; the worker itself believes only its own monotonic one.

Renewed four times in its span. A worker that could not renew for three quarters of it stops its own jobs before anybody else may run them.
Each worker also looks for the leases of the dead and gives their jobs back to the queues.
"""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from guardrails.runtime.engine import Fleet
from guardrails.runtime.store.database import Database

SAFE = 0.75
log = logging.getLogger("guardrails.runtime")


class Leases:
    """The leases of all workers of a database."""

    def __init__(self, database: Database, span: float) -> None:
        self._database = database
        self._lease = database.tables.lease
        self._span = span

    def take(self, worker: str, queues: Sequence[str]) -> None:
        """Begin to be alive."""
        now = self._database.now
        values = {
            "worker": worker,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "queues": json.dumps(list(queues)),
            "started": now,
            "renewed": now,
            "expires": now + self._span,
        }
        with self._database.begin() as connection:
            connection.execute(sa.insert(self._lease).values(**values))

    def renew(self, worker: str) -> bool:
        """Stay alive; False where the lease is gone: others hold this worker for dead."""
        now = self._database.now
        update = sa.update(self._lease).where(self._lease.c.worker == worker).values(renewed=now, expires=now + self._span)
        with self._database.begin() as connection:
            return connection.execute(update).rowcount == 1

    def drop(self, *workers: str) -> None:
        """Forget workers."""
        with self._database.begin() as connection:
            connection.execute(sa.delete(self._lease).where(self._lease.c.worker.in_(workers)))

    def bury(self, but: str) -> set[str]:
        """Forget the workers whose lease is over, but for one; who they were. One that dies in between is known by its claims."""
        over = sa.delete(self._lease).where(self._lease.c.expires <= self._database.now, self._lease.c.worker != but)
        with self._database.alone() as connection:
            return set(connection.execute(over.returning(self._lease.c.worker)).scalars())

    def known(self) -> set[str]:
        """All workers that have a lease, dead ones too."""
        with self._database.read() as connection:
            return set(connection.execute(sa.select(self._lease.c.worker)).scalars())


class Keeper(threading.Thread):
    """Renews one worker's lease, and reaps the dead."""

    def __init__(
        self,
        leases: Leases,
        fleet: Fleet,
        worker: str,
        span: float,
        renewed: Callable[[float], None],
        lost: Callable[[str, bool], None],
        back: Callable[[], None],
    ) -> None:
        super().__init__(name="lease-keeper", daemon=True)
        self._leases, self._fleet, self._worker, self._span = leases, fleet, worker, span
        self._renewed, self._lost, self._back = renewed, lost, back
        self._ended = threading.Event()
        self._last = time.monotonic()
        self._steady = False
        self.fenced = False

    def safe_until(self) -> float:
        """Until when (monotonic) this worker may run jobs without another renewal."""
        return self._last + SAFE * self._span

    def holds(self) -> bool:
        """Whether this worker may begin a job now."""
        return not self.fenced and time.monotonic() < self.safe_until()

    def begin(self, queues: Sequence[str]) -> None:
        """Take the lease, and keep it from now on."""
        self._last = time.monotonic()
        self._leases.take(self._worker, queues)
        self._renewed(self.safe_until())
        self.start()

    def run(self) -> None:
        """Until stopped."""
        pause = self._span / 4
        while not self._ended.wait(pause):
            before = time.monotonic()
            pause = self._span / 4 if self._tick(before) else self._span / 20

    def _tick(self, before: float) -> bool:
        try:
            alive = self._leases.renew(self._worker)
        except Exception as fault:
            self._steady = False
            if not self.fenced and before >= self.safe_until():
                self.fenced = True
                self._lost(f"its lease could not be renewed for {SAFE * self._span:.1f} s ({fault})", False)
            return False
        if not alive:
            self.fenced = True
            self._lost("others took it for dead", True)
            self._ended.set()
            return False
        self._last = before
        self._renewed(self.safe_until())
        if self.fenced:
            self.fenced = False
            self._back()
        if self._steady and self._fleet.launched:
            self._reap()
        self._steady = True
        return True

    def _reap(self) -> None:
        """Only a worker that has reached the database twice in a row buries others: after an outage, the living come back first."""
        try:
            buried = self._leases.bury(self._worker)  # from here on they cannot renew
            dead = buried | (self._fleet.pending() - self._leases.known())  # in this order: who comes meanwhile has a lease before a claim
            count = self._fleet.recover(sorted(dead - {self._worker}))
            if count:
                log.warning("Gave %d jobs of dead workers back to their queues (%s).", count, ", ".join(sorted(dead)))
        except Exception as error:  # the next tick tries again
            log.warning("Looking for dead workers failed: %s", error)

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
