"""Processes as a test sees them: what bears its mark, and the moment when all of that is dead."""

import json
import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from guardrails.runtime.pool.frames import Clean, Frame, Output, Task
from guardrails.runtime.pool.parent import Child, Gone

MARK = "GUARDRAILS_TEST"
PATIENCE = 30.0  # seconds after which a test gives up; nothing takes nearly as long


def task(name: str, number: int = 0, text: str = "") -> Task:
    payload = json.dumps({"number": number, "text": text})
    return Task(job="j1", name=name, key="k", queue="default", version=1, payload=payload, run=1, attempt=1, generation=1, finished={})


def outcome(child: Child, name: str, number: int = 0, text: str = "", limit: float = PATIENCE) -> tuple[Frame | Gone, Clean | None]:
    """Run a task to its end: what came of it, and whether the child may serve again."""
    child.run(task(name, number, text), limit)
    events = [event for event in child.frames() if not isinstance(event, Output)]
    return (events[-2], events[-1]) if isinstance(events[-1], Clean) else (events[-1], None)


def begin(child: Child, name: str, limit: float = PATIENCE) -> Iterator[Frame | Gone]:
    """Run a task until it says that it is about to misbehave; what comes after that."""
    child.run(task(name), limit)
    events = child.frames()
    for event in events:
        assert isinstance(event, Output), event
        if event.data == b"ready\n":
            break
    return events


def end(events: Iterator[Frame | Gone]) -> Gone:
    """The last event of a child that is dead."""
    *_, last = events
    assert isinstance(last, Gone), last
    return last


def living(mark: str) -> dict[int, str]:
    """The processes that bear a mark, by id with their command."""
    found = {}
    for process in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def runs(pid: int) -> bool:
    """Whether there is such a process, and it is not dead but for its parent's notice."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def seconds_until_dead(mark: str) -> float:
    """Wait for the end of all that bears a mark; how long that took."""
    began = time.monotonic()
    while left := living(mark):
        assert time.monotonic() - began < PATIENCE, left
        for pid in left:
            _await_death(pid)
    return time.monotonic() - began


def _await_death(pid: int) -> None:
    with suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        try:
            select.select([process], [], [], PATIENCE)
        finally:
            os.close(process)


def app(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: str) -> Path:
    """An application in what is now the current folder: one job, which does nothing, and lines of its own after that."""
    head = ["from pydantic import BaseModel", "from guardrails import runtime", "class P(BaseModel):", "    number: int = 0"]
    job = ["@runtime.job(timeout=9, key=lambda p: str(p.number))", "def nothing(p: P) -> None: ..."]
    path = folder / "app.py"
    path.write_text("\n".join([*head, *job, *lines, ""]))
    monkeypatch.chdir(folder)
    return path
