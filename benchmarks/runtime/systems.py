"""Which systems are measured, and a fresh place for one of them: an empty database or broker, and a producer process."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

from .fleet import Fleet
from .peer import Peer
from .setup import Setup

T = TypeVar("T")
LEASE = 5.0  # seconds; every system that has such a setting gets it
SLOTS = 4  # jobs at a time in all: one worker with four on SQLite, which takes one worker process, else two with two
PACKAGE = "benchmarks.runtime.peers"


class System(NamedTuple):
    """One system in one configuration."""

    name: str
    module: str
    server: str  # "sqlite", "postgres" or "redis"
    variant: str
    only_losses: bool = False  # the same speed as another one: only what it loses is measured


SYSTEMS = [
    System("DBOS, SQLite", "raw_dbos", "sqlite", "equal"),
    System("DBOS, SQLite, claims 100", "raw_dbos", "sqlite", "wide"),
    System("ours in threads, SQLite", "ours", "sqlite", "thread"),
    System("ours in processes, SQLite", "ours", "sqlite", "process"),
    System("DBOS, PostgreSQL", "raw_dbos", "postgres", "equal"),
    System("DBOS, PostgreSQL, claims 100", "raw_dbos", "postgres", "wide"),
    System("ours in threads, PostgreSQL", "ours", "postgres", "thread"),
    System("ours in processes, PostgreSQL", "ours", "postgres", "process"),
    System("Procrastinate, rescue task", "on_procrastinate", "postgres", "safe"),
    System("Procrastinate, defaults", "on_procrastinate", "postgres", "defaults", only_losses=True),
    System("Celery + Redis, acks_late", "on_celery", "redis", "safe"),
    System("Celery + Redis, defaults", "on_celery", "redis", "defaults", only_losses=True),
]


@dataclass(frozen=True)
class Place:
    """A system, ready to take jobs and without workers."""

    setup: Setup
    module: str
    executor: ProcessPoolExecutor

    def enqueue(self, jobs: Sequence[int], work: float = 0.0) -> float:
        """Enqueue one by one; seconds it took."""
        return self._produce(_enqueue, self.module, jobs, work)

    def enqueue_many(self, jobs: Sequence[int], work: float = 0.0) -> float | None:
        """Enqueue in one call; seconds it took, None where the system has no such call."""
        return self._produce(_enqueue_many, self.module, jobs, work)

    def trickle(self, jobs: Sequence[int]) -> list[float]:
        """Enqueue one job now and then; the times at which each call began."""
        return self._produce(_trickle, self.module, jobs)

    def held(self) -> int:
        """Unfinished jobs by the system's own book."""
        return self._produce(_held, self.module)

    def fleet(self) -> Fleet:
        """Its workers."""
        commands = {number: self._produce(_command, self.module, number) for number in range(1, self.setup.workers + 1)}
        return Fleet(self.setup, commands.__getitem__)

    def _produce(self, function: Callable[..., T], *arguments: object) -> T:
        return self.executor.submit(function, *arguments).result()


@contextlib.contextmanager
def place(system: System, servers: dict[str, Callable[[], str]], folder: Path) -> Iterator[Place]:
    """A fresh place for the system below `folder`."""
    own = tempfile.mkdtemp(dir=folder)
    url = servers[system.server]() if system.server in servers else f"sqlite:///{own}/jobs.db"
    workers = 1 if system.server == "sqlite" else 2
    setup = Setup(own, url, system.variant, workers, SLOTS // workers, LEASE)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=_enter, initargs=(setup.environment(),)) as executor:
        executor.submit(_prepare, system.module).result()
        yield Place(setup, system.module, executor)


def _enter(environment: dict[str, str]) -> None:
    os.environ.update(environment)


def _peer(module: str) -> Peer:
    return cast("Peer", importlib.import_module(f"{PACKAGE}.{module}").Peer())


def _prepare(module: str) -> None:
    _peer(module).prepare()


def _enqueue(module: str, jobs: Sequence[int], work: float) -> float:
    start = time.perf_counter()
    _peer(module).enqueue(jobs, work)
    return time.perf_counter() - start


def _enqueue_many(module: str, jobs: Sequence[int], work: float) -> float | None:
    start = time.perf_counter()
    return time.perf_counter() - start if _peer(module).enqueue_many(jobs, work) else None


def _trickle(module: str, jobs: Sequence[int]) -> list[float]:
    starts = []
    for job in jobs:
        time.sleep(random.uniform(0.15, 0.35))
        starts.append(time.monotonic())
        _peer(module).enqueue([job], 0.0)
    return starts


def _held(module: str) -> int:
    return _peer(module).held()


def _command(module: str, worker: int) -> list[str]:
    return _peer(module).command(worker)
