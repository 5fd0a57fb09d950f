"""What a running body can ask for: who it is, durable steps, progress, streams, how much time is left."""

import asyncio
import functools
import inspect
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, ParamSpec, Protocol, Self, TypeVar, overload

from guardrails.runtime import logs
from guardrails.runtime.errors import RuntimeFault, Terminal
from guardrails.runtime.plain import plain, said
from guardrails.runtime.pool.frames import Ask, Chunk, Frame, Go, Learn, Progress, Recorded, StepDone, StepFailed

P = ParamSpec("P")
R = TypeVar("R")
LARGEST_CHUNK = 1 << 20
LARGEST_STEP = 1 << 20


class Link(Protocol):
    """The way from a body to the worker that decides about it."""

    def send(self, frame: Frame) -> None:
        """Tell the worker."""

    def receive(self, timeout: float | None = None) -> Frame | None:
        """The worker's next word; None when it is gone."""


@dataclass(frozen=True, slots=True)
class Running:
    """The run that this code is part of: the job's id, name, key and queue, and which attempt it is (from 1).

    `run` is a number that no other run of the job has.
    """

    id: str
    name: str
    key: str
    queue: str
    attempt: int
    run: int


@dataclass
class Body:
    """A running body's state in its own process."""

    running: Running
    link: Link
    deadline: float
    finished: dict[str, str]
    occurrences: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


_body: ContextVar[Body | None] = ContextVar("guardrails_body", default=None)
_in_step: ContextVar[bool] = ContextVar("guardrails_in_step", default=False)
_importing = False


@contextmanager
def running(body: Body) -> Iterator[None]:
    """Make a body the present one."""
    token = _body.set(body)
    try:
        yield
    finally:
        _body.reset(token)


@contextmanager
def importing() -> Iterator[None]:
    """While a worker or its child imports the application: nothing may be queued then."""
    global _importing
    _importing = True
    try:
        yield
    finally:
        _importing = False


def resolved(secret: str) -> None:
    """Tell the worker a secret that this body has resolved, so that what it prints is cleaned of it."""
    body = _body.get()
    if body is not None:
        body.link.send(Learn(value=secret))


def refuse_while_importing(name: str) -> None:
    """Raise RuntimeFault for an enqueue that runs because a module is imported: each worker process would repeat it."""
    if _importing:
        raise RuntimeFault(
            f"{name} is queued while the application is imported, so each worker and each of its children would queue it again: "
            "move the call into a function, or under `if __name__ == '__main__':`."
        )


def current() -> Running:
    """The run that this code is part of; raises RuntimeFault outside a job."""
    return _present("runtime.current()").running


def inside() -> bool:
    """Whether this code runs within a job's body."""
    return _body.get() is not None


def remaining() -> float | None:
    """Seconds until the present run is stopped; None outside a job."""
    body = _body.get()
    return None if body is None else max(0.0, body.deadline - time.monotonic())


def _present(what: str) -> Body:
    body = _body.get()
    if body is None:
        raise RuntimeFault(f"{what} works only inside a job's body; in a test use runtime.testing.run(job, payload).")
    return body


def progress(done: float, total: float | None = None, note: str = "") -> None:
    """Record how far the present run is: it becomes the job's progress and an event. Of what is told faster than five times a second,
    the latest is kept.
    """
    told = Progress(done=float(done), total=None if total is None else float(total), note=plain(str(note)[:500]))
    if not all(map(math.isfinite, (told.done, told.total or 0.0))):
        raise ValueError(f"runtime.progress(..) takes finite numbers, not {done!r} of {total!r}")
    _present("runtime.progress(..)").link.send(told)


@overload
def step(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def step(*, name: str) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def step(function: Callable[..., Any] | None = None, /, *, name: str = "") -> Any:
    """Make a function a durable step: once it has finished within a job, neither a crash nor a retry of that job runs it again.

    Its result is kept as JSON, and given back as JSON gives it (a tuple becomes a list) by the first run, too. The n-th call of a name
    within a body is the n-th step of that name in each attempt. Steps of one job run one at a time; a step within a step belongs to the
    outer one. Outside a job it is a plain function.
    """
    if function is None:
        return functools.partial(_as_step, name=name)
    return _as_step(function, name="")


def _as_step(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    called = name or function.__name__

    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> Any:
        body = _body.get()
        if body is None or _in_step.get():
            return function(*args, **options)
        with body.lock:
            label = _label(body, called)
            known = _known(body, label)
            return json.loads(known) if known is not None else _record(body, label, lambda: function(*args, **options))

    @functools.wraps(function)
    async def run_async(*args: Any, **options: Any) -> Any:
        body = _body.get()
        if body is None or _in_step.get():
            return await function(*args, **options)
        label = _label(body, called)
        async with body.turn:
            known = await _known_async(body, label)
            return json.loads(known) if known is not None else await _record_async(body, label, function(*args, **options))

    return run_async if inspect.iscoroutinefunction(function) else run


def _label(body: Body, called: str) -> str:
    body.occurrences[called] += 1
    return f"{called}#{body.occurrences[called]}"


def _known(body: Body, label: str) -> str | None:
    """The recorded result of a step, or None: it is to be run now."""
    if label in body.finished:
        return body.finished[label]
    body.link.send(Ask(step=label))
    answer = body.link.receive()
    if isinstance(answer, Recorded):
        return answer.result
    if isinstance(answer, Go):
        return None
    raise RuntimeFault(f"The worker is gone; step {label} was not begun.")


async def _known_async(body: Body, label: str) -> str | None:
    """As `_known`, for a task that may be cancelled: the worker's answer is heard all the same, and none is left for the next step."""
    asking = asyncio.ensure_future(asyncio.to_thread(_known, body, label))
    try:
        return await asyncio.shield(asking)
    except asyncio.CancelledError:
        while not asking.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([asking])
        if asking.exception() is None and asking.result() is None:
            body.link.send(StepFailed(step=label, error="CancelledError: cancelled before it began"))
        raise


@contextmanager
def _step(body: Body, label: str) -> Iterator[None]:
    token = _in_step.set(True)
    try:
        yield
    except BaseException as error:
        told = logs.redactor().text(f"{type(error).__name__}: {said(error)}")
        body.link.send(StepFailed(step=label, error=told[:2000]))
        raise
    finally:
        _in_step.reset(token)


def _record(body: Body, label: str, call: Callable[[], Any]) -> Any:
    with _step(body, label):
        text = _step_text(label, call())
    body.link.send(StepDone(step=label, result=text))
    return json.loads(text)


async def _record_async(body: Body, label: str, call: Any) -> Any:
    with _step(body, label):
        text = _step_text(label, await call)
    body.link.send(StepDone(step=label, result=text))
    return json.loads(text)


def _step_text(label: str, result: object) -> str:
    try:
        text = json.dumps(result, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Terminal(
            f"Step {label} returned what is not JSON ({error}); return ids and numbers, or keep the rest in runtime.blobs."
        ) from error
    if len(text) > LARGEST_STEP:
        raise Terminal(f"Step {label} returned {len(text):,} bytes of JSON, over {LARGEST_STEP:,}: keep it in runtime.blobs.")
    return text


class Stream:
    """A durable stream that the present run writes; readers follow it while it grows and afterwards."""

    def __init__(self, name: str, content_type: str, metadata: dict[str, str], ttl: float | None) -> None:
        for what, text in (
            ("name", name),
            ("content_type", content_type),
            *(("metadata", part) for pair in metadata.items() for part in pair),
        ):
            if not isinstance(text, str) or plain(text) != text:
                raise Terminal(f"runtime.stream(..): {what} takes text without NUL and lone surrogates, not {text!r}.")
        self._chunk = functools.partial(
            Chunk, stream=name, content_type=content_type, metadata=metadata, ttl=None if ttl is None else float(ttl)
        )
        self._link = _present("runtime.stream(..)").link

    def __enter__(self) -> Self:
        self._link.send(self._chunk(data=b"", last=False))
        return self

    def write(self, data: bytes | str) -> None:
        """Append bytes, or text as UTF-8; large ones are stored in chunks of 1 MiB."""
        raw = data.encode() if isinstance(data, str) else bytes(memoryview(data))
        for at in range(0, len(raw), LARGEST_CHUNK):
            self._link.send(self._chunk(data=raw[at : at + LARGEST_CHUNK], last=False))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self._link.send(self._chunk(data=b"", last=True))


def stream(
    name: str = "output",
    *,
    content_type: str = "application/octet-stream",
    metadata: dict[str, str] | None = None,
    ttl: float | None = None,
) -> Stream:
    """A durable stream of the present run, as a context manager that closes it; `ttl` is in days (default: as long as the job is kept).

    A later attempt of the job replaces what an earlier one wrote: readers see the last attempt unless they ask for all.
    """
    return Stream(name, content_type, dict(metadata or {}), ttl)
