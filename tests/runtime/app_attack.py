"""Bodies that do what bodies should not, for test_attacked.py; real workers import it."""

import asyncio
import sys
import time
from pathlib import Path

import sqlalchemy as sa
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime.store.jobs import Event


class Do(BaseModel):
    """What to do; it is the key, too."""

    what: str


class Mute(Exception):
    """An error that has no words."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Large(BaseModel):
    """A result that is none."""

    text: str


TWICE = runtime.Retry(2, first=0.05, cap=0.1)


@runtime.step
def large() -> str:
    return "x" * 20_000_000


@runtime.step
def mute() -> None:
    raise Mute


@runtime.step
async def slow() -> int:
    await asyncio.sleep(5)
    return 1


def does(p: Do) -> object:
    """The body of both kinds."""
    if p.what == "nul":
        raise ValueError("a\x00b")
    if p.what == "surrogate":
        runtime.log.info("lone %s", "\udcff", extra={"more": "\udcfe\x00"})
        raise ValueError("a\udcffb")
    if p.what == "mute":
        raise Mute
    if p.what == "large":
        return Large(text="x" * 20_000_000)
    if p.what == "large step":
        return large()
    if p.what == "stream":
        runtime.stream("a\x00b")
    if p.what == "metadata":
        runtime.stream("ab", metadata={"pages": 1})  # type: ignore[dict-item]
    if p.what == "mute step":
        try:
            mute()
        except Mute:
            return "caught"
    return p.what


@runtime.job(timeout=20, key=lambda p: p.what, retry=TWICE)
def processed(p: Do) -> object:
    return does(p)


@runtime.job(timeout=20, key=lambda p: p.what, retry=TWICE, isolation="thread")
def threaded(p: Do) -> object:
    return does(p)


@runtime.job(timeout=20, key=lambda p: p.what, retry=runtime.Retry(1))
async def gives_up(p: Do) -> str:
    if p.what == "waits":
        try:
            await asyncio.wait_for(slow(), 0.0001)
        except TimeoutError:
            return "went on"

    async def fails() -> None:
        raise ValueError("the sibling failed")

    await asyncio.gather(slow(), fails())
    return ""


@runtime.job(timeout=1, key=lambda p: p.what, retry=runtime.Retry(1), isolation="thread")
def floods(p: Do) -> None:
    while True:
        runtime.progress(1)


@runtime.job(timeout=1, key=lambda p: p.what, retry=runtime.Retry(1))
def gushes(p: Do) -> None:
    for number in range(100_000):
        runtime.progress(number)
    raise ValueError("all told")


@runtime.job(timeout=120, key=lambda p: p.what, retry=runtime.Retry(1))
def mumbles(p: Do) -> None:
    runtime.log.info("begun")
    print("printed", flush=True)  # noqa: T201
    runtime.progress(1, 3, "first")
    runtime.progress(2, 3, "second")
    while not Path(p.what).exists():
        time.sleep(0.02)


def raised(data: dict[str, str]) -> dict[str, str]:
    """An upcaster that ends the process, or never ends."""
    if data["what"] == "exit":
        sys.exit(7)
    while data["what"] == "loop":
        time.sleep(0.01)
    return data


@runtime.job(timeout=2, key=lambda p: p.what, retry=runtime.Retry(1), version=2, upcast={1: raised})
def lifted(p: Do) -> str:
    return p.what


@runtime.job(timeout=20, key=lambda p: p.what)
def hooked(p: Do) -> str:
    return p.what


@runtime.on_status
def hook(connection: sa.Connection, event: Event) -> None:
    if event.name == "hooked" and event.type == "Done":
        if event.key == "exits":
            sys.exit(5)
        getattr(connection, event.key)()
