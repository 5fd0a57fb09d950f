"""`guardrails worker` as a process: what it says before it works, and after."""

import subprocess
import sys
from pathlib import Path

import pytest

APP = """from pydantic import BaseModel
from guardrails import runtime


class Charge(BaseModel):
    order_id: str


@runtime.job(timeout=30, key=lambda p: p.order_id)
def charge(p: Charge) -> str:
    return p.order_id
"""
OTHER = APP.replace("def charge", "def refund") + "\nif __name__ == '__main__':\n    refund.enqueue(Charge(order_id='7'))\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GUARDRAILS_DATABASE_URL", f"sqlite:///{tmp_path}/jobs.db")
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def run(folder: Path, *command: str, status: int = 0) -> str:
    done = subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stderr
    return done.stderr


def worker(folder: Path, *args: str, status: int = 0) -> str:
    return run(folder, "-m", "guardrails", "worker", *args, status=status)


def test_a_drained_worker_names_the_jobs_that_nothing_here_is_declared_for(folder: Path) -> None:
    (folder / "other.py").write_text(OTHER)
    run(folder, "other.py")
    told = worker(folder, "app", "--drain").splitlines()
    assert told[-1] == "guardrails: 1 job still waits: no job called refund is declared here."
    assert "still waits" not in worker(folder, "other", "--drain")


def test_a_worker_that_is_refused_does_not_say_that_it_serves(folder: Path) -> None:
    first = subprocess.Popen([sys.executable, "-m", "guardrails", "worker", "app"], cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        assert first.stderr is not None
        assert "serves default (4 at once)" in first.stderr.readline()
        told = worker(folder, "app", status=2)
        assert "Another worker already serves" in told
        assert len(told.splitlines()) == 1
    finally:
        first.terminate()
        first.communicate(timeout=60)


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("@runtime.job(key", "@runtime.job(timeout=30, key", "app.py:9: Job charge has no time limit: "),
        ("@runtime.job(timeout=30, retry=runtime.Retry(0), key", "@runtime.job(timeout=30, key", "app.py:9: Retry(attempts=..) must be "),
    ],
)
def test_a_declaration_that_is_refused_is_one_line_with_its_place(folder: Path, wrong: str, right: str, told: str) -> None:
    (folder / "app.py").write_text(APP.replace(right, wrong))
    said = worker(folder, "app", status=2)
    assert said.startswith(f"guardrails: {told}")
    assert len(said.splitlines()) == 1


def test_an_error_of_the_application_keeps_its_traceback(folder: Path) -> None:
    (folder / "app.py").write_text(APP + "\n1 / 0\n")
    told = worker(folder, "app", status=2)
    assert 'app.py", line 13' in told
    assert told.splitlines()[-1] == "guardrails: The application 'app' cannot be imported: ZeroDivisionError: division by zero"


def test_a_job_s_name_behind_the_application_is_left_out(folder: Path) -> None:
    assert worker(folder, "app:charge", status=2).startswith("guardrails: Leave out :charge and say app: ")


@pytest.mark.parametrize("missing", ["pydantic", "sqlalchemy", "dbos"])
def test_without_the_extra_it_is_named(folder: Path, missing: str) -> None:
    program = f"import sys; sys.modules[{missing!r}] = None; from guardrails.__main__ import main; main()"
    told = run(folder, "-c", program, "worker", "app", status=2)
    assert told == f"guardrails: this command needs {missing}, which is not installed: pip install 'worker-guardrails[worker]'.\n"
