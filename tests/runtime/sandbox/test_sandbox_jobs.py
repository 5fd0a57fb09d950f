"""Commands within the jobs of a real worker, and the example."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from guardrails.runtime import context
from guardrails.runtime.context import Body, Running
from guardrails.runtime.errors import SandboxRefused
from tests.runtime.sandbox import app_box
from tests.runtime.sandbox.boxes import Box, alive, mark, scratch_folders, wait_for
from tests.runtime.workers import Worker, seen, status_is

ROOT = Path(__file__).parents[3]
one_database = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@pytest.fixture
def worker(database: str, tmp_path: Path) -> Worker:
    """Its scratch folders are where `scratch_folders` looks."""
    folder = tmp_path / "app"
    folder.mkdir()
    app = folder / "app_box.py"
    app.write_bytes(Path(app_box.__file__).read_bytes())
    return Worker(app, database, TMPDIR=str(tmp_path), BOX_TOKEN="a-long-secret-value")


@one_database
def test_nothing_of_a_command_is_alive_after_its_job_s_limit(worker: Worker, local_box: Box) -> None:
    sleeping = mark()
    with worker:
        handle = app_box.sleeps.enqueue(app_box.Box(driver=local_box.driver, sleeping=sleeping))
        wait_for("the command runs", lambda: len(alive(sleeping)) >= 2)
        wait_for("the job is over", lambda: seen(handle.id).status in ("dead", "done"))
        assert alive(sleeping) == []


@one_database
def test_nothing_of_a_command_is_alive_after_its_worker_was_killed(worker: Worker, local_box: Box) -> None:
    sleeping = mark()
    with worker:
        app_box.sleeps.enqueue(app_box.Box(driver=local_box.driver, sleeping=sleeping))
        wait_for("the command runs", lambda: len(alive(sleeping)) >= 2)
        worker.kill()
        wait_for("no process is left", lambda: alive(sleeping) == [])


@one_database
def test_a_secret_is_resolved_in_the_job_and_hidden_from_its_result(worker: Worker, local_box: Box) -> None:
    with worker:
        handle = app_box.says.enqueue(app_box.Box(driver=local_box.driver, sleeping=mark()))
        wait_for("the job is done", status_is(handle.id, "done"))
    assert json.loads(json.dumps(seen(handle.id).result)) == ["[redacted]", "19"]
    assert scratch_folders() == set()


class Nobody:
    """A link that is never used."""

    def send(self, frame: object) -> None:
        raise AssertionError

    def receive(self, timeout: float | None = None) -> None:
        raise AssertionError


def body(seconds: float) -> Body:
    return Body(Running("id", "name", "key", "default", 1, 1), Nobody(), time.monotonic() + seconds, {})


def test_a_job_s_own_limit_comes_before_the_command_s(local_box: Box) -> None:
    with context.running(body(seconds=2.0)):
        assert local_box.run(["sleep", "1000"], wall=900.0).stopped_by == "wall"


def test_a_command_s_own_limit_comes_before_the_job_s(local_box: Box) -> None:
    with context.running(body(seconds=900.0)):
        assert local_box.run(["sleep", "1000"], wall=2.0).stopped_by == "wall"


def test_a_job_without_time_starts_no_command(process: Box) -> None:
    with context.running(body(seconds=0.0)), pytest.raises(SandboxRefused, match="job's own time is up"):
        process.run(["true"])


def test_the_example_prints_its_report(bubblewrap: Box) -> None:
    done = subprocess.run([sys.executable, "examples/runtime/sandbox_report.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("north,150\nsouth,80\nwest,7\n", "")
