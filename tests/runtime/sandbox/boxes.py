"""What the sandbox tests share: a driver to run commands with, and a look at the processes and folders of this machine."""

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

from guardrails.runtime import sandbox
from guardrails.runtime.sandbox.commands import Driver, OnOutput, Options
from guardrails.runtime.sandbox.outcome import Outcome

IMAGE = os.environ.get("GUARDRAILS_TEST_IMAGE", "busybox:latest")
PATIENCE = 60.0  # seconds; the machines are noisy
_numbers = itertools.count(os.getpid() * 1000)


@dataclass
class Box:
    """A driver with what it needs; `isolates`: whether it is a boundary."""

    driver: Driver
    options: Options = field(default_factory=Options)

    @property
    def isolates(self) -> bool:
        return self.driver != "process"

    def command(self, words: Sequence[str], *, wall: float = PATIENCE, **options: Unpack[Options]) -> sandbox.Command:
        return sandbox.command(words, wall=wall, **{**self.options, **options})

    def run(self, words: Sequence[str], *, wall: float = PATIENCE, on_output: OnOutput | None = None, **options: Any) -> Outcome:
        return self.command(words, wall=wall, **options).run(on_output)

    def sh(self, script: str, *, wall: float = PATIENCE, on_output: OnOutput | None = None, **options: Any) -> Outcome:
        return self.run(["sh", "-c", script], wall=wall, on_output=on_output, **options)


def mark() -> str:
    """A number of seconds that no other test's `sleep` was given, by which its process is found."""
    return str(100_000_000 + next(_numbers))


def alive(mark: str) -> list[int]:
    """The processes with this word in their command line, anywhere on this machine; zombies do not live."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if mark.encode() in read(folder / "cmdline").split(b"\0")]


def read(path: Path) -> bytes:
    """A file that may be gone: then it is empty."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def user_of(pid: int) -> int:
    """The real user of a process, as this machine numbers users; -1 when it is gone."""
    lines = read(Path(f"/proc/{pid}/status")).decode().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("Uid:")), -1)


def scratch_folders() -> set[Path]:
    """The scratch folders on disk."""
    return {path for home in Path(tempfile.gettempdir()).glob("guardrails-*") if home.is_dir() for path in home.iterdir()}


def wait_for(what: str, condition: Callable[[], bool]) -> None:
    """Wait until something that another process brings about holds; fails with `what` otherwise."""
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {PATIENCE:g} s"
        time.sleep(0.02)
