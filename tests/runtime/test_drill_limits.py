"""Drills 7, 9, 10 and 12: schedules never overlap, SIGTERM re-runs nothing, limits hold over all workers.

And a database that refuses leaves nothing half-written.
"""

import signal
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from guardrails import runtime
from guardrails.runtime import home as homes
from guardrails.runtime.claims import PATIENCE
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading
from tests.runtime import app_drill as drill
from tests.runtime.scale import SCALE, tell
from tests.runtime.servers import Postgres
from tests.runtime.workers import Worker, status_is, wait_for


def spans(app: Path) -> list[tuple[float, float]]:
    """When jobs began and ended, by a clock that all processes share."""
    path = app.parent / "spans.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(float(line.split()[1]), float(line.split()[2])) for line in lines]


def at_once(found: list[tuple[float, float]]) -> int:
    """How many spans overlapped at most."""
    edges = sorted([(end, -1) for _, end in found] + [(begin, 1) for begin, _ in found])
    most = level = 0
    for _, step in edges:
        level += step
        most = max(most, level)
    return most


def claimed(queue: str) -> list[float]:
    """When attempts of a queue were claimed, by the database's clock, in order."""
    schema = "dbos" if home().database.dialect == "postgresql" else None
    attempt = sa.table("workflow_status", sa.column("queue_name"), sa.column("started_at_epoch_ms"), schema=schema)
    with home().database.read() as connection:
        times = connection.execute(sa.select(attempt.c.started_at_epoch_ms).where(attempt.c.queue_name == queue)).scalars()
        return sorted(time / 1000 for time in times)


def fleet(app: Path, url: str, size: int, *options: str, **environ: str) -> list[Worker]:
    """So many workers, one on SQLite; nobody dies here, so their leases outlast a busy machine."""
    return [Worker(app, url, *options, lease=10.0, **environ) for _ in range(1 if url.startswith("sqlite") else size)]


def test_a_schedule_never_overlaps_and_never_piles_up(database: str, app: Path) -> None:
    workers = fleet(app, database, 2, "--queues", "ticks", TEST_SCHEDULE="1")
    try:
        wait_for("three ticks ran", lambda: len(spans(app)) >= 3)
        waiting = [seen for seen in Reading(home().database).jobs(["queued", "running", "retrying"]) if seen.name == "slow_tick"]
    finally:
        for worker in workers:
            worker.close()
    tell(f"7 ({home().database.dialect})", ticks=len(spans(app)), overlap=at_once(spans(app)), backlog=max(0, len(waiting) - 1))
    assert at_once(spans(app)) == 1
    assert len(waiting) <= 1, "one at most runs or waits"


def test_a_stopped_worker_with_enough_grace_re_runs_nothing(database: str, app: Path) -> None:
    handles = drill.tough.enqueue_many([drill.Work(name=f"g{number}", seconds=0.5) for number in range(12)])
    with Worker(app, database, "--concurrency", "4", "--grace", "30") as worker:
        wait_for("jobs run", lambda: (app.parent / "marks.txt").exists())
        worker.signal(signal.SIGTERM)
        assert worker.ended() == 0
    stopped = Counter(seen.status for seen in Reading(home().database).jobs())
    assert stopped["running"] == 0
    with Worker(app, database, "--drain") as worker:
        assert worker.ended() == 0
    runs = Counter(line.split()[0] for line in (app.parent / "marks.txt").read_text().splitlines())
    tell(f"9 ({home().database.dialect})", jobs=12, runs=runs.total(), left_by_the_first=stopped["queued"])
    assert all(status_is(handle.id, "done")() for handle in handles)
    assert set(runs.values()) == {1}


def test_limits_hold_over_all_workers(database: str, app: Path) -> None:
    jobs = SCALE.jobs // 2
    drill.narrow.enqueue_many([drill.Work(name=f"n{number}", seconds=0.1) for number in range(jobs)])
    paces = drill.pace.enqueue_many([drill.Work(name=f"p{number}") for number in range(11)])
    workers = fleet(app, database, 3, "--queues", "limited,paced")
    try:
        wait_for("all are done", lambda: not Reading(home().database).unfinished(["limited", "paced"]), 300)
    finally:
        for worker in workers:
            worker.close()
    began = sorted(event.at for handle in paces for event in Reading(home().database).events(handle.id) if event.type == "Started")
    tightest = min(later - earlier for earlier, later in zip(began, began[5:], strict=False))
    claims = claimed("paced")
    tell(
        f"10 ({home().database.dialect})",
        jobs=jobs,
        at_once=at_once(spans(app)),
        limit=2,
        six_starts_within=round(tightest, 2),
        rate="5 in 3 s",
    )
    assert len(spans(app)) == jobs
    assert at_once(spans(app)) <= 2
    assert min(later - earlier for earlier, later in zip(claims, claims[5:], strict=False)) >= 3.0
    assert tightest > 3.0 - PATIENCE - 1.0, "starts follow their claims, or are given back"


def test_a_full_sqlite_file_refuses_and_keeps_nothing_by_halves(tmp_path: Path, prepared_sqlite: Path) -> None:
    path = tmp_path / "full.db"
    path.write_bytes(prepared_sqlite.read_bytes())
    runtime.configure(database=f"sqlite:///{path}")
    database = home().database
    with database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    stop_at = f"PRAGMA max_page_count={pages + 8}"
    database.engine.dispose()
    event.listen(database.engine, "connect", lambda connection, _record: connection.execute(stop_at))
    queued = 0
    with pytest.raises(runtime.DatabaseRefused, match="full"):  # noqa: PT012
        for number in range(1000):
            drill.work.enqueue(drill.Work(name=f"f{number}", do="x" * 900))
            queued += 1
    assert counts(path) == (queued, queued, queued), "a key, a row and an attempt for each that was promised, and none beside"


def counts(path: Path) -> tuple[int, int, int]:
    """Keys, jobs and attempts in a file."""
    with sqlite3.connect(path) as connection:
        tables = ("guardrails_key", "guardrails_job", "workflow_status")
        one, two, three = (connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)
    return one, two, three


def test_a_read_only_postgres_refuses_in_a_sentence(postgres: Postgres, prepared_postgres: str) -> None:
    runtime.configure(database=postgres.create("readonly", template=prepared_postgres))
    postgres.execute("ALTER DATABASE readonly SET default_transaction_read_only = on")
    homes.close()
    with pytest.raises(runtime.DatabaseRefused, match="read-only"):
        drill.work.enqueue(drill.Work(name="r"))
    assert Reading(home().database).jobs() == []


def test_an_unreachable_postgres_refuses_in_a_sentence() -> None:
    runtime.configure(database="postgresql://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(runtime.DatabaseRefused, match="Nothing was changed") as refused:
        drill.work.enqueue(drill.Work(name="u"))
    assert "secret" not in str(refused.value)
