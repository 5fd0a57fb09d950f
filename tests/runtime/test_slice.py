"""The first story: queued, its worker killed, run again, retried, dead-lettered, requeued; with the status to poll, on both databases."""

from collections import Counter
from pathlib import Path

from guardrails.runtime.home import home
from tests.runtime import app_drill as drill
from tests.runtime.workers import Worker, events, seen, status_is, wait_for


def marks(app: Path) -> Counter[str]:
    path = app.parent / "marks.txt"
    return Counter(line.split()[0] for line in path.read_text().splitlines()) if path.exists() else Counter()


def test_a_killed_worker_s_job_is_run_again_by_the_next(database: str, app: Path) -> None:
    handle = drill.work.enqueue(drill.Work(name="a", do="hold"))
    assert seen(handle.id).status == "queued"
    with Worker(app, database) as first:
        wait_for("the job runs", lambda: marks(app)["a:hold"] == 1)
        assert seen(handle.id).status == "running"
        first.kill()
    (app.parent / "a.go").touch()
    with Worker(app, database):
        wait_for("the job is done", status_is(handle.id, "done"))
    assert marks(app)["a:hold"] == 2
    assert events(handle.id) == ["Queued", "Started", "Rescued", "Started", "Done"]
    assert (seen(handle.id).runs, seen(handle.id).result) == (1, "a")


def test_a_failing_job_is_retried_then_dead_then_requeued(database: str, app: Path) -> None:
    handle = drill.steps.enqueue(drill.Work(name="b"))
    with Worker(app, database) as worker:
        wait_for("the job is dead", status_is(handle.id, "dead"))
        assert "RuntimeError: not yet" in str(seen(handle.id).error)
        assert marks(app) == {"b:first": 1, "b:second": 2}, "a finished step is not run again by a retry"
        (app.parent / "b.go").touch()
        assert home().jobs.requeue(handle.id) == 2
        wait_for("the job is done", status_is(handle.id, "done"))
        assert marks(app) == {"b:first": 1, "b:second": 3}
        assert seen(handle.id).result == ["b", "first", "b"]
        worker.signal(15)
        assert worker.ended() == 0
    told = [
        "Queued",
        "Started",
        "AttemptFailed",
        "RetryScheduled",
        "Started",
        "AttemptFailed",
        "DeadLettered",
        "Requeued",
        "Started",
        "Done",
    ]
    assert events(handle.id) == told
