"""Drills 8 and 11: the server crashes in the middle of runs, and a worker that cannot renew its lease kills its own jobs first.

Each has a server of its own.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from guardrails import runtime
from guardrails.runtime import home as homes
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading
from tests.runtime import app_drill as drill
from tests.runtime.scale import SCALE, tell
from tests.runtime.servers import Postgres
from tests.runtime.workers import Worker, alive, events, seen, status_is, wait_for


@pytest.fixture
def server() -> Iterator[Postgres]:
    """A PostgreSQL server that may crash."""
    with tempfile.TemporaryDirectory(prefix="guardrails-postgres-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder) / "data")
        yield server
        server.stop()


@pytest.fixture
def url(server: Postgres) -> str:
    """A database on it."""
    return server.create("drill")


def test_crashes_of_the_server_lose_nothing(database: str, app: Path, server: Postgres) -> None:
    reading = Reading(home().database)
    handles = drill.tough.enqueue_many([drill.Work(name=f"r{number}", seconds=0.2) for number in range(SCALE.jobs)])
    workers = [Worker(app, database, "--concurrency", "2", lease=4.0) for _ in range(2)]
    try:
        for crash in range(1, 3):
            least = SCALE.jobs * (crash - 1) // 3
            wait_for("jobs get done", lambda least=least: reading.counts()["default"]["done"] > least)
            server.restart()
            homes.home().database.engine.dispose()
        wait_for("all are done", lambda: not reading.unfinished(["default"]), 300)
    finally:
        for worker in workers:
            worker.close()
    outcomes = Counter(event.type for handle in handles for event in reading.events(handle.id))
    runs = Counter(line.split()[0] for line in (app.parent / "marks.txt").read_text().splitlines())
    tell("8", jobs=SCALE.jobs, crashes=2, done=outcomes["Done"], runs=runs.total())
    assert outcomes["Done"] == SCALE.jobs


def test_a_worker_without_its_lease_kills_its_jobs_first_and_counts_nothing(database: str, app: Path, server: Postgres) -> None:
    lease = 4.0
    handle = drill.work.enqueue(drill.Work(name="l", do="hold"))
    with Worker(app, database, lease=lease) as worker:
        wait_for("the job runs", lambda: (app.parent / "marks.txt").exists())
        body = int((app.parent / "marks.txt").read_text().split()[1])
        stopped = time.monotonic()
        server.halt()
        wait_for("the body is gone before the lease is over", lambda: not alive(body), lease)
        tell("11", lease=lease, body_gone_after=round(time.monotonic() - stopped, 2))
        (app.parent / "l.go").touch()
        server.restart()
        homes.home().database.engine.dispose()
        wait_for("the job is done", status_is(handle.id, "done"))
        assert worker.process.poll() is None, "the worker has survived"
    assert seen(handle.id).runs == 0, "a run that its own worker stopped does not count"
    assert "HandedBack" in events(handle.id)


def test_a_database_that_is_gone_refuses_in_a_sentence_and_serves_again(database: str, server: Postgres) -> None:
    drill.work.enqueue(drill.Work(name="before"))
    server.halt()
    with pytest.raises(runtime.DatabaseRefused, match="Whether the last change was made is not known"):
        drill.work.enqueue(drill.Work(name="gone"))
    with pytest.raises(runtime.DatabaseRefused, match="Nothing was changed"):
        drill.work.enqueue(drill.Work(name="gone"))
    server.restart()
    drill.work.enqueue(drill.Work(name="after"))
    assert {job.key for job in Reading(home().database).jobs()} == {"before", "after"}
