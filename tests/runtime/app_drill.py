"""The application of the drills: jobs that die, hang, fork, count. It is copied into each test's folder and imported by real workers."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from guardrails import runtime

runtime.configure(lease=float(os.environ.get("TEST_LEASE", "2")), grace=float(os.environ.get("TEST_GRACE", "5")))
FOLDER = Path(os.environ.get("TEST_FOLDER", "."))


class Work(BaseModel):
    name: str
    do: str = ""
    seconds: float = 0.0


def mark(word: str) -> None:
    """One line that nobody else writes into: appended whole."""
    with (FOLDER / "marks.txt").open("a") as marks:
        marks.write(f"{word} {os.getpid()}\n")


@runtime.job(timeout=30, key=lambda p: p.name, retry=runtime.Retry(3, first=0.05, cap=0.1))
def work(p: Work) -> str:
    mark(f"{p.name}:{p.do}")
    if p.do == "fail":
        raise RuntimeError("as asked")
    if p.do == "die":
        os._exit(3)
    if p.do == "hold":
        while not (FOLDER / f"{p.name}.go").exists():
            time.sleep(0.01)
    if p.seconds:
        time.sleep(p.seconds)
    return p.name


@runtime.job(timeout=30, key=lambda p: p.name, retry=runtime.Retry(1000, first=0.05, cap=0.1))
def tough(p: Work) -> str:
    """A job that may die more often than there are kills."""
    mark(p.name)
    time.sleep(p.seconds)
    return p.name


@runtime.job(timeout=30, key=lambda p: p.name, retry=runtime.Retry(1000, first=0.05, cap=0.1))
def swift(p: Work) -> str:
    return p.name


@runtime.step
def first(name: str) -> list[str]:
    mark(f"{name}:first")
    return [name, "first"]


@runtime.step
def second(name: str) -> str:
    mark(f"{name}:second")
    if not (FOLDER / f"{name}.go").exists():
        raise RuntimeError("not yet")
    return name


@runtime.job(timeout=30, key=lambda p: p.name, retry=runtime.Retry(2, first=0.05, cap=0.1))
def steps(p: Work) -> list[str]:
    return [*first(p.name), second(p.name)]


@runtime.job(timeout=30, key=lambda p: p.name, retry=runtime.Retry(3, first=0.05, cap=0.1))
def killer(p: Work) -> None:
    """A job that kills its worker: the parent of the guardian that is its process's parent."""
    mark(p.name)
    os.kill(parent(os.getppid()), signal.SIGKILL)
    time.sleep(30)


def parent(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


@runtime.job(timeout=1, key=lambda p: p.name, retry=runtime.Retry(1))
def endless(p: Work) -> None:
    """A job past its limit, in one of the ways that are hard to stop; what it starts writes down its process id."""
    mark(f"pid {p.do}")
    if p.do == "setsid" and os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            mark(f"pid {p.do}")
            time.sleep(60)
        os._exit(0)
    if p.do == "forks":
        for _ in range(20):
            if os.fork() == 0:
                mark(f"pid {p.do}")
                time.sleep(60)
                os._exit(0)
    if p.do == "c":
        sum(iter(lambda: 1, 2)) if p.seconds else pow(7, 10**9, 10**8_000_000)
    time.sleep(60)


limited = runtime.queue("limited", concurrency=4, limit=2)
paced = runtime.queue("paced", concurrency=8, rate=(5, 3.0))


@runtime.job(timeout=30, key=lambda p: p.name, queue="limited", isolation="thread", retry=runtime.Retry(1000, first=0.05, cap=0.1))
def narrow(p: Work) -> None:
    with span(p.name):
        time.sleep(p.seconds)


@runtime.job(timeout=30, key=lambda p: p.name, queue="paced", isolation="thread")
def pace(p: Work) -> None:
    mark(p.name)


@contextmanager
def span(name: str) -> Iterator[None]:
    """Write down when this began and ended, in seconds that all processes of the machine share."""
    began = time.monotonic()
    try:
        yield
    finally:
        with (FOLDER / "spans.txt").open("a") as spans:
            spans.write(f"{name} {began} {time.monotonic()}\n")


@runtime.job(timeout=30, key=lambda p: p.name, queue="ticks")
def slow_tick(p: Work) -> None:
    with span(p.name):
        time.sleep(1.6)


if os.environ.get("TEST_SCHEDULE"):
    runtime.schedule("often", every=1.0, target=slow_tick, payload=lambda at: Work(name=at.isoformat()))


OLD = bool(os.environ.get("TEST_OLD"))  # an older release: it lacks a job, and knows a payload's first version only


class Sized(BaseModel):
    name: str
    size: int = 1


def in_tenths(old: dict[str, Any]) -> dict[str, Any]:
    """The second version counts in tenths."""
    return {**old, "size": old["size"] * 10}


@runtime.job(timeout=30, key=lambda p: p.name, version=1 if OLD else 2, upcast={} if OLD else {1: in_tenths})
def sized(p: Sized) -> int:
    return p.size


if not OLD:

    @runtime.job(timeout=30, key=lambda p: p.name)
    def added(p: Work) -> str:
        return p.name


@runtime.job(timeout=30, key=lambda p: p.name)
def talks(p: Work) -> None:
    """A job that tells its secret in every way, and closes its output."""
    secret = runtime.SecretRef("DRILL_SECRET").resolve()
    print("printed", secret, flush=True)  # noqa: T201
    os.write(2, f"written {secret}\n".encode())
    runtime.log.warning("logged %s", secret)
    os.close(1)
    if p.do == "fail":
        raise runtime.Terminal(f"failed with {secret}")
