"""One run of an attempt as its worker sees it: start, talk with the body, decide how it ended, record that."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from guardrails.runtime.declare import Job
from guardrails.runtime.errors import NewerVersion
from guardrails.runtime.pool.frames import (
    Ask,
    Chunk,
    Failed,
    Finished,
    Frame,
    Go,
    Learn,
    Line,
    Output,
    Progress,
    Recorded,
    StepDone,
    StepFailed,
    Task,
)
from guardrails.runtime.store.jobs import Ending, Started

Passing: TypeAlias = Line | Output | Learn | Progress | Chunk
OFFER_AGAIN = (5.0, 300.0)  # seconds: a job that this worker cannot run is offered again after half its age, within these


class Talk(Protocol):
    """A body at work, in a child process or a thread."""

    def send(self, frame: Frame) -> None:
        """Answer it."""

    def receive(self, until: float) -> Frame | None:
        """Its next word; None when it is gone. Raises TimeoutError at `until` (monotonic seconds)."""

    def kill(self) -> None:
        """Stop it with everything that it started; returns when that is done."""

    def why(self) -> str:
        """How it went, once it is gone."""

    def fenced(self) -> bool:
        """Whether it was killed because its worker's lease was over."""


@dataclass
class Active:
    """A run on its way, as other threads of the worker may stop it."""

    started: Started
    talk: Talk | None = None
    flush: Callable[[], None] = lambda: None
    stopped: str | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self, why: str) -> None:
        """Kill the body; the run's own thread records the end. `why`: "cancelled", else a clause that says why it is handed back."""
        with self.lock:
            if self.stopped is None:
                self.stopped = why
            talk = self.talk
        if talk is not None:
            talk.kill()


def offered_again(started: Started, why: str, now: float) -> Ending:
    """Give a job back that this worker cannot run: it waits for one that can, and nothing of it counts."""
    delay = min(max((now - started.created) / 2, OFFER_AGAIN[0]), OFFER_AGAIN[1])
    return Ending("queued", [("Waiting", {"why": why, "delay": round(delay, 1)})], counts=False, error=why, delay=delay)


def handed_back(why: str) -> Ending:
    """Give a job back whose worker ends; nothing of it counts."""
    return Ending("queued", [("HandedBack", {"why": why})], counts=False)


def unfinished(
    started: Started, job: Job[Any, Any], told: tuple[str, dict[str, Any]], terminal: bool = False, after: float | None = None
) -> Ending:
    """A counted run that failed: tried again after its backoff, or dead-lettered."""
    runs = started.runs + 1
    message = str(told[1].get("message", told[0]))
    if terminal or runs >= started.attempts:
        return Ending("dead", [told, ("DeadLettered", {"error": message, "runs": runs, "terminal": terminal})], counts=True, error=message)
    delay = min(after, job.retry.cap) if after is not None else job.retry.wait(runs)
    scheduled = ("RetryScheduled", {"delay": round(delay, 3), "runs": runs, "of": started.attempts})
    return Ending("retrying", [told, scheduled], counts=True, error=message, delay=delay)


class Conversation:
    """What is said between the start of a body and its end."""

    def __init__(self, active: Active, job: Job[Any, Any], talk: Talk, effects: "Effects") -> None:
        self._active = active
        self._started = active.started
        self._job = job
        self._talk = talk
        self._effects = effects
        self._until = time.monotonic() + job.timeout
        self._over: Ending | None = None
        self._unheard: Frame | None = None

    def hold(self) -> Ending:
        """Talk until the body has come to its end."""
        while True:
            frame = self._next()
            if isinstance(frame, Ask):
                self._step(frame.step)
            elif isinstance(frame, Finished):
                return Ending("done", [("Done", {})], counts=False, result=frame.result)
            elif isinstance(frame, Failed):
                return self._failed(frame)
            if self._over is not None:
                return self._over

    def _next(self) -> Frame:
        """The next frame that decides something; the others take effect at once."""
        if self._unheard is not None:
            unheard, self._unheard = self._unheard, None
            return unheard
        while self._over is None:
            try:
                frame = self._talk.receive(self._until)
            except TimeoutError:
                self._talk.kill()
                self._over = self._stopped() or unfinished(self._started, self._job, ("TimedOut", self._limit()))
                break
            if frame is None and self._talk.fenced():
                self._over = self._stopped() or handed_back("its worker lost its lease")
                break
            if frame is None:
                self._over = self._stopped() or unfinished(self._started, self._job, ("AttemptFailed", self._gone()))
                break
            if isinstance(frame, Passing):
                self._effects.take(self._started, frame)
            else:
                return frame
        return StepFailed(step="", error="")

    def _limit(self) -> dict[str, Any]:
        return {"limit": self._job.timeout, "message": f"stopped at its time limit of {self._job.timeout:g} s"}

    def _gone(self) -> dict[str, Any]:
        return {"type": "ProcessDied", "message": f"the job's process died: {self._talk.why()}"}

    def _failed(self, frame: Failed) -> Ending:
        if frame.type == NewerVersion.__name__:
            return offered_again(self._started, frame.message, time.time())
        told = {"type": frame.type, "message": f"{frame.type}: {frame.message}", "traceback": frame.traceback}
        return unfinished(self._started, self._job, ("AttemptFailed", told), frame.verdict == "terminal", frame.after)

    def _stopped(self) -> Ending | None:
        """The end that another thread of the worker decided, if one did."""
        why = self._active.stopped
        if why is None:
            return None
        if why == "cancelled":
            return Ending("cancelled", [("Cancelled", {})], counts=False)
        return handed_back(why)

    def _step(self, name: str) -> None:
        """Run a durable step unless its result is on record."""
        began: list[bool] = []

        def run() -> str | None:
            began.append(True)
            self._talk.send(Go())
            frame = self._next()
            if not isinstance(frame, StepDone | StepFailed):
                self._unheard = frame  # the body gave the step up, and went on to this
            return frame.result if isinstance(frame, StepDone) else None

        try:
            result = self._effects.step(name, run)
            if not began and result is not None:
                self._talk.send(Recorded(result=result))
        except OSError:
            return  # the body is gone; the next receive tells
        except Exception as error:
            self._talk.kill()
            told = {"type": type(error).__name__, "message": f"step {name} could not be recorded: {error}"}
            self._over = self._over or self._stopped() or unfinished(self._started, self._job, ("AttemptFailed", told))


class Effects(Protocol):
    """What a body does to the outside while it runs."""

    def take(self, started: Started, frame: Passing) -> None:
        """Keep a line, a progress, a chunk."""

    def step(self, name: str, run: Callable[[], str | None]) -> str | None:
        """Run a durable step."""


def task_of(started: Started, finished: dict[str, str]) -> Task:
    """What a body is told."""
    return Task(
        job=started.id,
        name=started.name,
        key=started.key,
        queue=started.queue,
        version=started.version,
        payload=started.payload,
        run=started.start,
        attempt=started.runs + 1,
        generation=started.generation,
        finished=finished,
    )
