"""The job of every system, and the record of its effects: a file to which each run appends one line of fixed width.

One small append is one system call: a killed process has written its line or has not, and every system pays the same few microseconds.
"""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path
from typing import NamedTuple

from .setup import setup, worker

WIDTH = 33
MEET = -1.0  # as `work`: wait for the jobs of all other slots
PATIENCE = 5.0  # seconds until a job no longer waits for the others


class Effect(NamedTuple):
    """One run of one job."""

    job: int
    worker: int
    at: float  # seconds of the monotonic clock, which is the same for all processes of a machine


@functools.cache
def _file() -> int:
    return os.open(setup().effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def run(job: int, work: float) -> None:
    """The job's body: work for `work` seconds, then leave the effect; with no work it is a no-op job."""
    if work > 0:
        time.sleep(work)
    os.write(_file(), b"%08d %02d %020d\n" % (job, worker(), time.monotonic_ns()))
    if work == MEET:
        _meet()


def _meet() -> None:
    """Hold this slot until every slot of every worker holds such a job: then all are up, and start into the backlog together."""
    deadline = time.monotonic() + PATIENCE
    while count(setup().effects) < setup().workers * setup().slots and time.monotonic() < deadline:
        time.sleep(0.001)


def count(path: Path) -> int:
    """How many runs have left their effect."""
    return path.stat().st_size // WIDTH if path.exists() else 0


def read(path: Path) -> list[Effect]:
    """All effects so far, in their order."""
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [Effect(int(job), int(number), int(at) / 1e9) for job, number, at in (line.split() for line in lines)]
