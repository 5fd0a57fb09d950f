"""Jobs as they are declared: a function, its payload's shape, and the two things that have no default, a time limit and a key."""

import inspect
import json
import math
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, ParamSpec, TypeVar, cast, get_type_hints

from pydantic import BaseModel

from guardrails.runtime.errors import DeclarationError, PayloadRefused, Terminal, Transient, UnknownJob
from guardrails.runtime.numeric import is_number, is_whole
from guardrails.runtime.payload import Shape
from guardrails.runtime.plain import plain

P = TypeVar("P", bound=BaseModel)
R = TypeVar("R")
Errors = tuple[type[BaseException], ...]
Isolation = Literal["process", "thread"]
Verdict = Literal["retry", "terminal"]
LONGEST_KEY = 512
_spec = ParamSpec("_spec")


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a job may run in all, and how long it waits between two runs: exponential backoff with full jitter.

    `attempts` counts runs that ended in a failure, a time-out or the death of their worker. `first` and `cap` are seconds; the wait before
    run n + 1 is a random span between 0 and min(cap, first * factor ** (n - 1)). `terminal` error types are never tried again; where
    `transient` is given, only those types are.
    """

    attempts: int = 5
    first: float = 1.0
    factor: float = 2.0
    cap: float = 300.0
    transient: Errors | type[BaseException] = ()
    terminal: Errors | type[BaseException] = ()

    def __post_init__(self) -> None:
        for name in ("transient", "terminal"):
            types = getattr(self, name)
            types = (types,) if isinstance(types, type) else types
            if not isinstance(types, tuple) or not all(isinstance(one, type) and issubclass(one, BaseException) for one in types):
                raise DeclarationError(f"Retry({name}=..) takes a type of errors, or a tuple of them such as (OSError,), not {types!r}.")
            object.__setattr__(self, name, types)
        if not is_whole(self.attempts) or not 1 <= self.attempts <= 1000:
            raise DeclarationError(f"Retry(attempts=..) must be a whole number from 1 to 1000, not {self.attempts!r}.")
        if not all(_is_finite(each) for each in (self.first, self.factor, self.cap)) or not (
            self.first >= 0 and self.factor >= 1 and self.cap >= self.first
        ):
            raise DeclarationError("Retry needs first >= 0, factor >= 1 and a finite cap >= first (seconds).")

    def wait(self, runs: int, draw: Callable[[], float] = random.random) -> float:
        """Seconds to wait after `runs` runs (full jitter; source: the AWS Architecture Blog, "Exponential Backoff And Jitter")."""
        exponent = min(runs - 1, 64)
        return draw() * min(self.cap, self.first * self.factor**exponent)

    def verdict(self, error: BaseException) -> Verdict:
        """Whether an error of a body may be tried again."""
        terminal, transient = cast("Errors", self.terminal), cast("Errors", self.transient)
        if isinstance(error, (Terminal, *terminal)):
            return "terminal"
        if transient and not isinstance(error, (*transient, Transient)):
            return "terminal"
        return "retry"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue's limits: `concurrency` jobs at once in one worker, `limit` at once over all workers, `rate` = (starts, per seconds)."""

    name: str
    concurrency: int = 4
    limit: int | None = None
    rate: tuple[int, float] | None = None

    def __post_init__(self) -> None:
        if not self.name or not self.name.replace("-", "").replace("_", "").replace(".", "").isalnum() or self.name.startswith("_"):
            raise DeclarationError(f"A queue's name has letters, digits, '-', '_' and '.', and does not begin with '_': {self.name!r}.")
        for count in (self.concurrency, 1 if self.limit is None else self.limit):
            if not is_whole(count) or count < 1:
                raise DeclarationError(f"Queue {self.name}: concurrency and limit are whole numbers, at least 1, not {count!r}.")
        if self.rate is not None and not _is_rate(self.rate):
            raise DeclarationError(
                f"Queue {self.name}: rate is (starts, seconds), such as (100, 60.0) for 100 a minute, not {self.rate!r}."
            )


def _is_finite(value: object) -> bool:
    return is_number(value) and math.isfinite(value)


def _is_rate(rate: object) -> bool:
    return isinstance(rate, tuple) and len(rate) == 2 and all(map(_is_finite, rate)) and rate[0] >= 1 and rate[1] > 0


@dataclass(frozen=True, slots=True)
class Handle:
    """What an enqueue gives back: the job's id, and whether this call created it or the key was known already."""

    id: str
    name: str
    key: str
    created: bool


@dataclass(frozen=True, eq=False)
class Job(Generic[P, R]):
    """A declared job; `enqueue` is the way to run it."""

    body: Callable[[P], R | Awaitable[R]]
    name: str
    shape: Shape
    timeout: float
    key_of: Callable[[P], object]
    retry: Retry
    queue: str
    isolation: Isolation = "process"
    callback: Any = None

    def __call__(self, *_args: object, **_options: object) -> R:
        """Refused: a call would run the work in this process, without limit, key or retry."""
        raise DeclarationError(
            f"{self.name} is a job: hand it to a worker with {self.name}.enqueue(payload); "
            f"in a test use runtime.testing.run({self.name}, payload)."
        )

    def __getattr__(self, name: str) -> Any:
        """Refused, with the way that there is."""
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(f"Job {self.name} has no {name}: queue it with {self.name}.enqueue(payload), or enqueue_many(payloads).")

    def key(self, payload: P) -> str:
        """The idempotency key of a payload; raises PayloadRefused where the key function gives nothing usable."""
        try:
            key = self.key_of(payload)
        except Exception as error:
            raise PayloadRefused(f"The key function of job {self.name} failed on this payload: {type(error).__name__}: {error}.") from error
        return checked_key(self.name, key)

    def enqueue(self, payload: P, *, delay: float = 0.0) -> Handle:
        """Queue a run: the same key with the same payload gives the first handle again.

        `delay` is in seconds. Raises PayloadRefused, KeyConflict (same key, other payload) or DatabaseRefused; then nothing was queued.
        """
        from guardrails.runtime import enqueue

        return enqueue.one(self, payload, delay=delay)

    async def enqueue_async(self, payload: P, *, delay: float = 0.0) -> Handle:
        """As `enqueue`, without blocking the event loop."""
        import asyncio

        return await asyncio.to_thread(self.enqueue, payload, delay=delay)

    def enqueue_many(self, payloads: Iterable[P], *, delay: float = 0.0) -> list[Handle]:
        """Queue many in one transaction, all or none; handles in the order of the payloads."""
        from guardrails.runtime import enqueue

        return enqueue.many(self, list(payloads), delay=delay)

    def enqueue_in_transaction(self, connection: Any, payload: P, *, delay: float = 0.0) -> Handle:
        """Queue within the caller's transaction: the job exists if, and only if, that transaction commits.

        `connection` is a SQLAlchemy Connection or Session, or Django's connection, to the database that holds the runtime's tables;
        another database raises DatabaseRefused.
        """
        from guardrails.runtime import enqueue

        return enqueue.within(self, connection, payload, delay=delay)

    def enqueue_with_key(self, payload: P, key: str) -> Handle:
        """Queue under a key that an upstream event brings, as webhooks do."""
        from guardrails.runtime import enqueue

        return enqueue.one(self, payload, key=checked_key(self.name, key))


def checked_key(name: str, key: object) -> str:
    """A usable idempotency key as text; raises PayloadRefused."""
    if key is None or isinstance(key, (bool, float, bytes)):
        raise PayloadRefused(f"The key of job {name} is {key!r}: give a stable id such as the order's, as text or a whole number.")
    text = str(key)
    if plain(text) != text and "\x00" not in text:
        raise PayloadRefused(f"The key of job {name} has a lone surrogate, which is no character: {text[:80]!r}.")
    if not text.strip() or len(text) > LONGEST_KEY or "\x00" in text:
        raise PayloadRefused(f"The key of job {name} must have 1 to {LONGEST_KEY} characters and no NUL; it has {len(text)}.")
    return text


@dataclass
class Registry:
    """What an application has declared."""

    jobs: dict[str, Job[Any, Any]] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)
    status_hooks: list[Callable[..., None]] = field(default_factory=list)
    alert_hooks: list[Callable[..., None]] = field(default_factory=list)
    schedules: dict[str, Any] = field(default_factory=dict)
    webhooks: dict[str, Any] = field(default_factory=dict)

    def job(self, name: str) -> Job[Any, Any]:
        """A declared job; raises UnknownJob with the near ones."""
        if name not in self.jobs:
            known = ", ".join(sorted(self.jobs)) or "none"
            raise UnknownJob(f"No job is called {name!r}; this application declares: {known}.")
        return self.jobs[name]

    def queue(self, name: str) -> Queue:
        """A queue's limits; one that was only named has the defaults."""
        return self.queues.get(name) or Queue(name)

    def queue_names(self) -> list[str]:
        """All queues, declared or only named by a job, in order."""
        return sorted({*self.queues, *(job.queue for job in self.jobs.values())} or {"default"})

    def clear(self) -> None:
        """Forget everything: for tests."""
        for part in (self.jobs, self.queues, self.status_hooks, self.alert_hooks, self.schedules, self.webhooks):
            part.clear()


registry = Registry()


def job(
    bare: object = None,
    /,
    *,
    timeout: float | None = None,
    key: Callable[[Any], object] | None = None,
    retry: Retry | None = None,
    queue: str = "default",
    version: int = 1,
    name: str | None = None,
    upcast: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] | None = None,
    isolation: Isolation = "process",
    callback: Any = None,
) -> Callable[[Callable[[P], R | Awaitable[R]]], Job[P, R]]:
    """Declare a job: a sync or async function of one pydantic payload.

    `timeout`: seconds after which a run is stopped with all its processes; mandatory. `key`: gives a payload's idempotency key; mandatory.
    `version` is the payload's; `upcast` maps an old version to a function that turns its dict into the next version's.
    `isolation="thread"` is faster, as the body runs in the worker's process; but one that hangs cannot be stopped there: it is recorded
    as timed out while its thread may go on.
    `callback`, a `runtime.destinations.http(..)`, gets each outcome (done, dead, cancelled), by a job of its own, which is retried, too.
    Raises DeclarationError, at import, for what would fail later.
    """

    if bare is not None:
        raise DeclarationError("A job's time limit and key have no default: say @runtime.job(timeout=30, key=lambda p: p.order_id).")

    def declare(body: Callable[[P], R | Awaitable[R]]) -> Job[P, R]:
        called = name or body.__name__
        limit, key_of = _limit(called, timeout), _key_function(called, key)
        if retry is not None and not isinstance(retry, Retry):
            raise DeclarationError(f"Job {called}: retry is a runtime.Retry, not {retry!r}: say retry=runtime.Retry(attempts=3).")
        if isolation not in ("process", "thread"):
            raise DeclarationError(f"Job {called}: isolation is 'process' or 'thread', not {isolation!r}.")
        Queue(queue)  # its name is checked
        shape = Shape(_payload_of(called, body), version, upcast or {})
        declared: Job[P, R] = Job(body, called, shape, limit, key_of, retry or Retry(), queue, isolation, callback)
        if callback is not None:
            from guardrails.runtime import targets

            targets.tell_outcomes()
        known = registry.jobs.get(called)
        if known is not None and not _same_place(known.body, body):
            raise DeclarationError(f"Two jobs are called {called}: give one of them another name with @runtime.job(name=..).")
        registry.jobs[called] = declared
        return declared

    return declare


def _limit(name: str, timeout: object) -> float:
    if timeout is None:
        raise DeclarationError(f"Job {name} has no time limit: say @runtime.job(timeout=30, ..), in seconds; there is no default.")
    if not is_number(timeout) or not (0 < timeout < math.inf):
        raise DeclarationError(f"Job {name}: timeout must be a finite number of seconds above 0, not {timeout!r}.")
    return float(timeout)


def _key_function(name: str, key: Callable[[Any], object] | None) -> Callable[[Any], object]:
    if key is None:
        raise DeclarationError(
            f"Job {name} has no idempotency key: say @runtime.job(key=lambda p: p.order_id, ..), so that work queued twice runs once."
        )
    if not callable(key):
        raise DeclarationError(f"Job {name}: key is a function of the payload, such as lambda p: p.order_id, not {key!r}.")
    return key


def _same_place(one: Callable[..., object], other: Callable[..., object]) -> bool:
    """Whether it is one function whose module was imported twice, as `__main__` and by its name."""
    here, there = inspect.unwrap(one).__code__, inspect.unwrap(other).__code__
    return here is there or (here.co_filename, here.co_firstlineno) == (there.co_filename, there.co_firstlineno)


def _payload_of(name: str, body: Callable[..., object]) -> type[BaseModel]:
    parameters = list(inspect.signature(body).parameters.values())
    if len(parameters) != 1:
        raise DeclarationError(f"Job {name} must take exactly one argument, its payload (a pydantic model); it takes {len(parameters)}.")
    try:
        hints = get_type_hints(body)
    except NameError as error:
        raise DeclarationError(
            f"Job {name}: the type of its payload cannot be found ({error}); declare the model at module level."
        ) from error
    model = hints.get(parameters[0].name)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise DeclarationError(f"Job {name} must annotate its argument with a pydantic model: def {name}(p: Charge).")
    return model


def queue(name: str, *, concurrency: int = 4, limit: int | None = None, rate: tuple[int, float] | None = None) -> Queue:
    """Declare a queue's limits; returns them. A queue that is only named by a job has concurrency 4 in each worker and no other limit."""
    declared = Queue(name, concurrency, limit, rate)
    registry.queues[name] = declared
    return declared


Hook = TypeVar("Hook", bound=Callable[..., None])


def on_status(hook: Hook) -> Hook:
    """Call `hook(connection, event)` within the transaction that records a status, for an application's own status column.

    `connection` is a SQLAlchemy Connection. A hook that fails is rolled back alone, and told in the worker's log: the outcome stands.
    """
    registry.status_hooks.append(hook)
    return hook


def on_dead(hook: Hook) -> Hook:
    """Call `hook(job id, job name, error)` in the worker after a job was dead-lettered, for an alert; a failing hook is logged."""
    registry.alert_hooks.append(hook)
    return hook


def result_text(name: str, result: object) -> str:
    """A body's result as JSON, for the outcome's row; raises Terminal where it is none or is too large."""
    try:
        text = result.model_dump_json() if isinstance(result, BaseModel) else json.dumps(result, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise Terminal(
            f"Job {name} returned what is not JSON ({error}); return ids and numbers, keep the rest in runtime.blobs."
        ) from error
    if len(text) > 65536:
        raise Terminal(f"Job {name} returned {len(text):,} bytes of JSON, over 65,536: keep it in runtime.blobs or a runtime.stream.")
    return text
