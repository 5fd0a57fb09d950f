"""Drills 2 to 6: when a re-run begins, what is left of a job past its limit or without its worker, zombies, and how deaths are counted."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading
from tests.runtime import app_drill as drill
from tests.runtime.scale import tell
from tests.runtime.workers import Worker, alive, events, seen, status_is, wait_for

LEASE = 3.0


def marks(app: Path) -> list[tuple[str, int]]:
    """What the drill's jobs wrote down: words, and the process that wrote them."""
    path = app.parent / "marks.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line.rsplit(" ", 1)[0], int(line.rsplit(" ", 1)[1])) for line in lines]


def count(app: Path) -> Counter[str]:
    return Counter(word for word, _ in marks(app))


def now() -> float:
    """The database's clock."""
    with home().database.read() as connection:
        return float(connection.execute(sa.select(home().database.now)).scalar_one())


def test_a_re_run_begins_within_one_and_a_half_leases(database: str, app: Path) -> None:
    kind = home().database.dialect
    handle = drill.work.enqueue(drill.Work(name="a", do="hold"))
    with Worker(app, database, lease=LEASE) as first:
        wait_for("the job runs", lambda: count(app)["a:hold"] == 1)
        body = marks(app)[0][1]
        with Worker(app, database, lease=LEASE) as other:
            if kind == "sqlite":
                assert other.ended() == 2, "a SQLite file takes one worker"
                assert "PostgreSQL" in other.log.read_text()
            else:
                other.serving()
            killed = now()
            first.kill()
            wait_for("the body is gone with its worker", lambda: not alive(body), 1.0)
            (app.parent / "a.go").touch()
            if kind == "sqlite":
                killed = now()
                with Worker(app, database, lease=LEASE):
                    wait_for("the job is done", status_is(handle.id, "done"))
            else:
                wait_for("the job is done", status_is(handle.id, "done"))
    again = [event.at for event in Reading(home().database).events(handle.id) if event.type == "Started"][1]
    tell(f"2 ({kind})", lease=LEASE, re_run_after=round(again - killed, 2))
    if kind == "postgresql":
        assert again - killed < 1.5 * LEASE


@pytest.mark.parametrize("way", ["setsid", "forks", "c"])
def test_nothing_of_a_job_lives_one_second_after_its_limit(database: str, app: Path, way: str) -> None:
    handle = drill.endless.enqueue(drill.Work(name=way, do=way))
    with Worker(app, database):
        wait_for("the job is timed out", status_is(handle.id, "dead"))
        wait_for("its processes are gone", lambda: not any(alive(pid) for _, pid in marks(app)), 1.0)
    assert events(handle.id) == ["Queued", "Started", "TimedOut", "DeadLettered"]
    assert seen(handle.id).error == "stopped at its time limit of 1 s"


def test_a_stopped_worker_neither_keeps_its_job_nor_changes_its_outcome(database: str, app: Path) -> None:
    """A worker stopped for longer than its lease: its job's process dies in time, another run has the outcome.

    And the zombie says nothing more.
    """
    kind = home().database.dialect
    handle = drill.work.enqueue(drill.Work(name="z", do="hold"))
    with Worker(app, database, lease=LEASE) as zombie:
        wait_for("the job runs", lambda: count(app)["z:hold"] == 1)
        body = marks(app)[0][1]
        zombie.signal(signal.SIGSTOP)
        stopped = time.monotonic()
        wait_for("the body is gone before the lease is over", lambda: not alive(body), LEASE)
        tell(f"4 ({kind})", lease=LEASE, body_gone_after=round(time.monotonic() - stopped, 2))
        (app.parent / "z.go").touch()
        if kind == "sqlite":
            time.sleep(max(0.0, LEASE + 0.5 - (time.monotonic() - stopped)))
            zombie.signal(signal.SIGCONT)
            wait_for("the job is done", status_is(handle.id, "done"))
        else:
            with Worker(app, database, lease=LEASE):
                wait_for("the job is done", status_is(handle.id, "done"))
                before = events(handle.id)
                zombie.signal(signal.SIGCONT)
                assert zombie.ended() == 75, "the zombie learns that others took it for dead, and ends"
                assert events(handle.id) == before
    assert (seen(handle.id).result, events(handle.id).count("Done"), count(app)["z:hold"]) == ("z", 1, 2)


def test_a_job_that_kills_its_worker_is_dead_after_exactly_three_runs(database: str, app: Path) -> None:
    handle = drill.killer.enqueue(drill.Work(name="k"))
    for run in range(1, 4):
        with Worker(app, database) as worker:
            wait_for("the job killed its worker", lambda run=run: count(app)["k"] == run)
            assert worker.ended() == -signal.SIGKILL
    with Worker(app, database):
        wait_for("the job is dead", status_is(handle.id, "dead"))
    assert (count(app)["k"], seen(handle.id).runs) == (3, 3)
    assert events(handle.id)[-2:] == ["Rescued", "DeadLettered"]


def test_a_crash_neither_resets_nor_adds_attempts(database: str, app: Path) -> None:
    """Run 1 dies by itself, run 2 with its worker, run 3 by itself: three runs, and then it is dead."""
    handle = drill.work.enqueue(drill.Work(name="c", do="die"))
    with Worker(app, database) as worker:
        wait_for("the first run died", lambda: count(app)["c:die"] >= 1)
        worker.kill()
    with Worker(app, database):
        wait_for("the job is dead", status_is(handle.id, "dead"))
    runs = count(app)["c:die"]
    assert seen(handle.id).runs == 3
    assert runs <= 3, "no run beyond its attempts"
    assert "status 3" in str(seen(handle.id).error) or "died" in str(seen(handle.id).error)


def test_no_process_outlives_its_killed_worker(database: str, app: Path) -> None:
    drill.endless.enqueue(drill.Work(name="w", do="setsid"))
    with Worker(app, database, "--quiet") as worker:
        wait_for("its daemon runs", lambda: count(app)["pid setsid"] == 2)
        worker.kill()
        wait_for("all are gone", lambda: not any(alive(pid) for _, pid in marks(app)), 1.0)
    assert os.getpid() not in [pid for _, pid in marks(app)]
