"""Worker processes: started, watched, killed hard, and started anew."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import psutil  # type: ignore[import-untyped]

from .setup import Setup

GRACE = 10.0  # seconds from SIGTERM to SIGKILL


class Fleet:
    """The worker processes of one system, by number from 1; leaving it stops them all."""

    def __init__(self, setup: Setup, command: Callable[[int], list[str]]) -> None:
        """`command` tells how to start a worker of a number."""
        self.setup = setup
        self.command = command
        self.processes: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Fleet:
        """Start every worker."""
        self.revive()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        """Stop every worker, in good order while `GRACE` lasts."""
        for process in self.processes.values():
            process.terminate()
        deadline = time.monotonic() + GRACE
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        self.kill()

    def revive(self) -> None:
        """Start the workers that are not running."""
        for number in range(1, self.setup.workers + 1):
            old = self.processes.get(number)
            if old is None or old.poll() is not None:
                self.processes[number] = self._start(number)

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            **self.setup.environment(number),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path) or str(Path.cwd()),
        }
        with (Path(self.setup.folder) / f"worker{number}.log").open("ab") as log:
            return subprocess.Popen(self.command(number), env=environment, stdout=log, stderr=log, start_new_session=True, cwd=Path.cwd())

    def said(self) -> str:
        """The last lines of what the workers wrote."""
        logs = sorted(Path(self.setup.folder).glob("worker*.log"))
        return "\n".join(log.read_text(errors="replace")[-1000:] for log in logs)

    def tree(self) -> Iterator[psutil.Process]:
        """Every process of every worker."""
        for process in self.processes.values():
            with contextlib.suppress(psutil.NoSuchProcess):
                root = psutil.Process(process.pid)
                yield from (root, *root.children(recursive=True))

    def cpu(self) -> float:
        """Seconds of CPU time, user and system, that the processes of the workers have used."""
        used = 0.0
        for process in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used += times.user + times.system
        return used

    def kill(self) -> None:
        """SIGKILL to everything, as when machines lose their power."""
        targets = list(self.tree())
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for target in targets:
            _kill(target)
        for process in self.processes.values():
            process.wait()

    def kill_worker(self) -> None:
        """SIGKILL to one worker with all its processes, as when a container ends."""
        process = random.choice(list(self.processes.values()))
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(process.pid)
            for target in (root, *root.children(recursive=True)):
                _kill(target)
        process.wait()

    def kill_process(self) -> None:
        """SIGKILL to one process, any one, as when memory runs out."""
        _kill(random.choice(list(self.tree())))


def _kill(process: psutil.Process) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()
