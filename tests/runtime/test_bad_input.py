"""What must neither be lost nor do harm: unknown jobs, payloads from the future, corrupt rows, clocks that jump, told secrets."""

from pathlib import Path

import sqlalchemy as sa

from guardrails.runtime.home import home
from guardrails.runtime.store.jobs import Ending, Started
from guardrails.runtime.store.reading import Reading
from tests.runtime import app_drill as drill
from tests.runtime.workers import Worker, events, seen, status_is, wait_for

SECRET = "correct-horse-battery-staple"


def test_what_an_older_release_cannot_run_waits_for_a_newer_one(database: str, app: Path) -> None:
    unknown, newer = drill.added.enqueue(drill.Work(name="new")), drill.sized.enqueue(drill.Sized(name="s", size=3))
    with Worker(app, database, TEST_OLD="1") as worker:
        wait_for("both wait", lambda: all("Waiting" in events(handle.id) for handle in (unknown, newer)))
        assert (seen(unknown.id).status, seen(unknown.id).error) == ("queued", "no worker knows the job added")
        assert seen(newer.id).status == "queued"
        assert "version 2" in str(seen(newer.id).error)
        assert "knows no job called added" in worker.log.read_text()
    with Worker(app, database):
        wait_for("both are done", lambda: all(status_is(handle.id, "done")() for handle in (unknown, newer)))
    assert (seen(newer.id).result, seen(newer.id).runs) == (3, 0)


def test_a_payload_of_an_older_release_is_brought_up_to_date(database: str, app: Path) -> None:
    handle = drill.sized.enqueue(drill.Sized(name="old", size=4))
    table = home().database.tables.job
    with home().database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == handle.id).values(version=1))
    with Worker(app, database, "--drain") as worker:
        assert worker.ended() == 0
    assert seen(handle.id).result == 40


def test_a_corrupt_payload_is_a_dead_letter_with_a_reason(database: str, app: Path) -> None:
    handle = drill.work.enqueue(drill.Work(name="c"))
    table = home().database.tables.job
    with home().database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == handle.id).values(payload='{"name": '))
    with Worker(app, database, "--drain") as worker:
        assert worker.ended() == 0
    assert (seen(handle.id).status, seen(handle.id).runs) == ("dead", 1)
    assert "PayloadUnreadable" in str(seen(handle.id).error)


def test_a_job_s_secret_stands_nowhere_in_the_book(database: str, app: Path) -> None:
    done, dead = drill.talks.enqueue(drill.Work(name="t")), drill.talks.enqueue(drill.Work(name="f", do="fail"))
    with Worker(app, database, "--drain", DRILL_SECRET=SECRET) as worker:
        assert worker.ended() == 0
        assert SECRET not in worker.log.read_text()
    assert [seen(handle.id).status for handle in (done, dead)] == ["done", "dead"]
    lines = [line[3] for handle in (done, dead) for line in Reading(home().database).lines(handle.id)]
    assert {"printed [redacted]", "written [redacted]", "logged [redacted]"} <= set(lines)
    with home().database.read() as connection:
        for table in home().database.tables.metadata.sorted_tables:
            assert SECRET not in repr(connection.execute(sa.select(table)).all()), table.name


def test_a_clock_that_jumps_back_neither_loses_nor_repeats(database: str) -> None:
    """The database's clock is the only one that is compared; times of the past do no harm."""
    handle = drill.work.enqueue(drill.Work(name="clock"))
    table = home().database.tables.job
    with home().database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == handle.id).values(created=table.c.created + 86_400.0))
    started = home().jobs.start(handle.id, 1, 1, "w")
    assert started is not None
    assert home().jobs.end(started, Ending("done", [("Done", {})], counts=False))
    assert seen(handle.id).status == "done"


def test_a_run_that_lost_its_fence_writes_nothing(database: str) -> None:
    handle = drill.work.enqueue(drill.Work(name="fence"))
    jobs = home().jobs
    first, second = jobs.start(handle.id, 1, 1, "a"), jobs.start(handle.id, 1, 1, "b")
    before = events(handle.id)
    assert not jobs.end(first, Ending("done", [("Done", {})], counts=False, result='"first"'))
    assert not jobs.progress(first, {"done": 1})
    assert events(handle.id) == before
    assert jobs.end(second, Ending("done", [("Done", {})], counts=False, result='"second"'))
    assert seen(handle.id).result == "second"


def test_calls_that_are_made_again_after_a_lost_answer_count_nothing_twice(database: str) -> None:
    handle = drill.work.enqueue(drill.Work(name="again"))
    first = home().jobs.start(handle.id, 1, 1, "w", fence="mine")
    assert isinstance(first, Started)
    assert home().jobs.start(handle.id, 1, 1, "w", fence="mine") == first
    assert (seen(handle.id).runs, events(handle.id)) == (0, ["Queued", "Started"])
    done = Ending("done", [("Done", {})], counts=False)
    assert home().jobs.end(first, done)
    assert home().jobs.end(first, done)
    assert events(handle.id) == ["Queued", "Started", "Done"]


def test_a_dead_worker_s_attempt_that_finds_no_slot_is_queued_again_and_its_death_is_counted(database: str) -> None:
    handle = drill.work.enqueue(drill.Work(name="dead"))
    assert isinstance(home().jobs.start(handle.id, 1, 1, "w"), Started)
    assert home().jobs.pass_on(handle.id, 1, 1, "no slot")
    assert home().jobs.start(handle.id, 1, 1, "x") is None
    second = home().jobs.start(handle.id, 1, 2, "x")
    assert isinstance(second, Started)
    assert second.runs == 1
