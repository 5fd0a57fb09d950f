"""A body run in the test itself: through its payload's JSON and back, as in a worker, but without one, and without a database."""

import asyncio
import contextvars
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from queue import SimpleQueue
from typing import Any, TypeVar

from pydantic import BaseModel

from guardrails.runtime import body, context, logs, settings
from guardrails.runtime.declare import Job
from guardrails.runtime.pool.frames import Ask, Chunk, Frame, Go, Line, Progress, StepDone, Task

T = TypeVar("T")
_runs = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of a body gave and did.

    `result` and the values of `steps` are as JSON gives them; steps are named with their occurrence, "reserve#1", and those that were
    finished before are not among them. `progress` and `lines` have the fields of `runtime.progress` and of a log line (level, message,
    fields). `chunks` are the streams' content by name. `seconds` is how long it took.
    """

    result: Any = None
    steps: dict[str, Any] = field(default_factory=dict)
    progress: list[Progress] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    chunks: dict[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def log(self) -> str:
        """The messages that were logged, one a line."""
        return "\n".join(line.message for line in self.lines)


def run(
    job: Job[Any, Any],
    payload: BaseModel,
    *,
    attempt: int = 1,
    finished_steps: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
) -> Ran:
    """Run a job's body here and now, and raise what it raises.

    `attempt` is what `runtime.current().attempt` tells. `finished_steps` are steps that an earlier attempt finished, with their results:
    {"reserve": 7} or, for a later call of the same step, {"reserve#2": 7}. `secrets` are the only ones that `SecretRef.resolve` finds;
    without it the application's settings decide. A body cannot be stopped here; one that took longer than its limit raises TimeoutError
    afterwards, as a worker would have stopped it. Raises PayloadRefused for what could not have been queued.
    """
    text = job.shape.dump(payload)
    number = next(_runs)
    finished = {_label(name): json.dumps(value) for name, value in (finished_steps or {}).items()}
    task = Task(f"test-{number}", job.name, job.key(payload), job.queue, job.shape.version, text, number, attempt, 1, finished)
    with _secrets(secrets):
        return _ran(job, task)


def run_twice(job: Job[Any, Any], payload: BaseModel, *, steps_recorded: bool = True) -> tuple[Ran, Ran]:
    """Run a body to its end twice, as happens when a worker dies after the work and before its outcome is recorded.

    What the second run must not do again is yours to assert. Steps that the first run finished are on record for the second, as they
    would be; with `steps_recorded=False` none is, as when the worker dies between a step's work and its record.
    """
    first = run(job, payload)
    return first, run(job, payload, attempt=2, finished_steps=first.steps if steps_recorded else None)


class _Record:
    """The body's link: keeps what it says, and lets each step run."""

    def __init__(self) -> None:
        self.ran = Ran()
        self._answers: SimpleQueue[Frame] = SimpleQueue()

    def send(self, frame: Frame) -> None:
        """Keep a frame, or answer it."""
        if isinstance(frame, Ask):
            self._answers.put(Go())
        elif isinstance(frame, StepDone):
            self.ran.steps[frame.step] = json.loads(frame.result)
        elif isinstance(frame, Progress):
            self.ran.progress.append(frame)
        elif isinstance(frame, Line):
            self.ran.lines.append(frame)
        elif isinstance(frame, Chunk):
            self.ran.chunks[frame.stream] = self.ran.chunks.get(frame.stream, b"") + frame.data

    def receive(self, timeout: float | None = None) -> Frame | None:
        """The answer."""
        return self._answers.get(timeout=timeout)


def _ran(job: Job[Any, Any], task: Task) -> Ran:
    record = _Record()
    running = context.Running(task.job, task.name, task.key, task.queue, task.attempt, task.run)
    began = time.monotonic()
    state = context.Body(running, record, began + job.timeout, dict(task.finished))
    with context.running(state), logs.capture(running, lambda level, message, fields, at: record.send(Line(level, message, fields, at))):
        result = json.loads(here(lambda: body._call(job, task, record)))
    seconds = time.monotonic() - began
    if seconds > job.timeout:
        raise TimeoutError(f"{job.name} took {seconds:.1f} s; a worker stops it at its limit of {job.timeout:g} s.")
    return replace(record.ran, result=result, seconds=seconds)


def here(call: Callable[[], T]) -> T:
    """Call in this thread, or beside it where this thread has an event loop running: async bodies bring their own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return call()
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(contextvars.copy_context().run, call).result()


def _label(name: str) -> str:
    return name if "#" in name else f"{name}#1"


@contextmanager
def _secrets(known: Mapping[str, str] | None) -> Iterator[None]:
    """Make these the only secrets."""
    if known is None:
        yield
        return
    before = settings._current
    settings._current = replace(settings.current(), secrets=known.get)
    try:
        yield
    finally:
        settings._current = before
