"""Processes as a test sees them: what bears its mark, and the moment when all of that is dead."""

import json
import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

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


def living(mark: str) -> dict[int, str]:
    """The processes that bear a mark, by id with their command."""
    found = {}
    for process in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


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
