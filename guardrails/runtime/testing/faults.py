"""Faults on order: the next runs of a job fail, or their worker dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from guardrails.runtime.declare import Job
from guardrails.runtime.errors import Transient

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """What befalls one run: the error that it ends with, or, without one, its worker's death before or after the body's work."""

    error: BaseException | None
    when: When = "before"


_ordered: dict[str, list[Fault]] = {}


@contextmanager
def fail_attempts(job: Job[Any, Any], times: int, error: BaseException | None = None) -> Iterator[None]:
    """Let the next `times` runs of a job in `drain` fail with `error` (default: a Transient) in place of their bodies.

    So a test sees what becomes of it: retried, or dead. Raises AssertionError if fewer runs came.
    """
    with _during(job, [Fault(error if error is not None else Transient("ordered by a test"))] * times):
        yield


@contextmanager
def crash_attempts(job: Job[Any, Any], times: int = 1, *, when: When = "after") -> Iterator[None]:
    """Let the worker die in the next `times` runs of a job in `drain`; the job is run again, and the death counts as a run.

    `after`: when the body's work is done and its outcome not yet recorded, where a body that is not idempotent does it twice; or `before`
    the work. Raises AssertionError if fewer runs came.
    """
    if when not in ("before", "after"):
        raise ValueError(f"when is 'before' or 'after', not {when!r}.")
    with _during(job, [Fault(None, when)] * times):
        yield


@contextmanager
def _during(job: Job[Any, Any], faults: list[Fault]) -> Iterator[None]:
    orders = _ordered.setdefault(job.name, [])
    mine = [Fault(fault.error, fault.when) for fault in faults]
    orders.extend(mine)
    try:
        yield
        left = sum(fault in orders for fault in mine)
        if left:
            raise AssertionError(f"{len(mine) - left} of {len(mine)} runs of {job.name} came: drain() within the block, or order fewer.")
    finally:
        orders[:] = [fault for fault in orders if fault not in mine]


def next_for(name: str) -> Fault | None:
    """The fault for the next run of a job, if one was ordered."""
    orders = _ordered.get(name)
    return orders.pop(0) if orders else None


def forget() -> None:
    """Take all orders back."""
    _ordered.clear()
