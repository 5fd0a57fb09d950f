"""DBOS by itself, with the settings that the runtime gives it; `python -m benchmarks.runtime.peers.raw_dbos` is a worker.

A worker that was killed comes back with the same executor id, as DBOS's documents advise where its recovery service is not used: it then
runs its own jobs again.
"""

from __future__ import annotations

import functools
import signal
import sqlite3
import sys
import threading
from collections.abc import Sequence

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions, run_dbos_database_migrations

from .. import effects
from ..setup import setup, worker

APPLICATION = VERSION = QUEUE = "bench"
POLLING = 0.1  # seconds
CLAIMS = 100  # of the variant "wide": so many jobs at a time, so that its polling is not what is measured


@functools.cache
def _client() -> DBOSClient:
    return DBOSClient(system_database_url=setup().url, serializer=DBOSPortableJSONSerializer(), application_name=APPLICATION)


@functools.cache
def _engine() -> sa.Engine:
    return sa.create_engine(setup().url)


def _options(job: int) -> EnqueueOptions:
    return {"workflow_name": "job", "queue_name": QUEUE, "app_version": VERSION, "workflow_id": f"job-{job}"}


class Peer:
    """DBOS on SQLite or on PostgreSQL, by the setup's address."""

    def prepare(self) -> None:
        """Its tables, and one queue."""
        if setup().url.startswith("sqlite"):
            with sqlite3.connect(setup().url.removeprefix("sqlite:///")) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
        run_dbos_database_migrations(setup().url)
        claims = CLAIMS if setup().variant == "wide" else setup().slots
        _client().register_queue(QUEUE, worker_concurrency=claims, polling_interval_sec=POLLING)

    def enqueue(self, jobs: Sequence[int], work: float) -> None:
        """A transaction for each."""
        for job in jobs:
            _client().enqueue(_options(job), job, work)

    def enqueue_many(self, jobs: Sequence[int], work: float) -> bool:
        """All in one transaction."""
        with _engine().begin() as connection:
            for job in jobs:
                _client().enqueue_in_transaction(connection, _options(job), job, work)
        return True

    def held(self) -> int:
        """Enqueued and pending workflows."""
        return len(_client().list_workflows(status=["ENQUEUED", "PENDING"], load_input=False, load_output=False))

    def command(self, worker: int) -> list[str]:
        """This module."""
        return [sys.executable, "-m", "benchmarks.runtime.peers.raw_dbos"]


def main() -> None:
    """A worker, until SIGTERM."""
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": setup().url,
            "application_version": VERSION,
            "executor_id": f"worker-{worker()}",
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "ERROR",
            "run_migrations": False,
        }
    )
    DBOS.workflow(name="job", max_recovery_attempts=None)(effects.run)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    DBOS.launch()
    stop.wait()
    DBOS.destroy()


if __name__ == "__main__":
    main()
