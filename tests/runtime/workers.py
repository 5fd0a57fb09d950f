"""Real worker processes for tests: started, killed, stopped, and waited for by what they did."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading, Seen

PATIENCE = 60.0  # seconds; the machines are noisy


def wait_for(what: str, condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait until a condition that another process brings about holds; fails with `what` otherwise."""
    until = time.monotonic() + patience
    while not condition():
        if failed := [worker.log.read_text()[-4000:] for worker in _running if worker.process.poll() in (1, 2, 3)]:
            raise AssertionError(f"{what}: a worker ended\n{failed[0]}")
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {patience:g} s")
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


_running: "list[Worker]" = []


class Worker:
    """A `guardrails worker` process."""

    def __init__(self, app: Path, url: str, *options: str, lease: float = 2.0, **environ: str) -> None:
        self.log = app.parent / f"worker-{time.monotonic_ns()}.log"
        environment = {**os.environ, "GUARDRAILS_DATABASE_URL": url, "TEST_LEASE": str(lease), **environ}
        command = [sys.executable, "-m", "guardrails", "worker", app.name, *options]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=app.parent, env=environment, stdout=log, stderr=log, start_new_session=True)
        _running.append(self)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def serving(self) -> Self:
        """Wait until it serves its queues."""
        wait_for(f"the worker serves\n{self.log.read_text()}", lambda: "serves" in self.log.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.log.read_text()
        return self

    def forget(self) -> None:
        """Its end is expected from now on."""
        if self in _running:
            _running.remove(self)

    def kill(self) -> None:
        """kill -9."""
        self.forget()
        self.process.kill()
        self.process.wait(10)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self, patience: float = PATIENCE) -> int:
        """Wait for its end; its exit status."""
        self.forget()
        return self.process.wait(patience)

    def close(self) -> None:
        """End it, whatever state it is in."""
        self.forget()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        if error is not None:
            error.add_note(self.log.read_text()[-8000:])


def seen(job: str) -> Seen:
    """A job as it stands."""
    return Reading(home().database).job(job)


def status_is(job: str, *statuses: str) -> Callable[[], bool]:
    """A condition: the job has one of these statuses."""
    return lambda: seen(job).status in statuses


def events(job: str) -> list[str]:
    """The types of a job's events, in order."""
    return [event.type for event in Reading(home().database).events(job)]
