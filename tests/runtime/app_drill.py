"""The application of the drills: jobs that die, hang, fork, count. It is copied into each test's folder and imported by real workers."""

import os
import time
from pathlib import Path

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
