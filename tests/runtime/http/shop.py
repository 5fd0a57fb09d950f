"""The application that the service's tests serve, and its jobs' lives, lived without a worker."""

from typing import Annotated, Any

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime.home import home
from guardrails.runtime.pool.frames import Chunk
from guardrails.runtime.store.jobs import Ending, Started
from guardrails.runtime.store.output import LogLine, Output

CARD = "4242424242424242"


class Order(BaseModel):
    order_id: str
    card: Annotated[str, runtime.Sensitive] = CARD
    note: str = ""


class Other(BaseModel):
    number: int


@runtime.job(timeout=30, key=lambda p: p.order_id, name="http-charge", queue="orders")
def charge(p: Order) -> None: ...


@runtime.job(timeout=30, key=lambda p: p.number, name="http-<b>count</b>")
def count(p: Other) -> None: ...


def started(job: str, attempt: int = 1, generation: int = 1) -> Started:
    """Begin a run, as a worker does."""
    run = home().jobs.start(job, generation, attempt, "worker-1")
    assert run is not None
    return run


def progress(run: Started, done: float, total: float | None = None, note: str = "") -> None:
    """Tell how far it is."""
    assert home().jobs.progress(run, {"done": done, "total": total, "note": note})


def finished(run: Started, result: str = "null") -> None:
    """End it well."""
    assert home().jobs.end(run, Ending("done", [("Done", {})], counts=False, result=result))


def failed(run: Started, error: str = "ValueError: no", dead: bool = True) -> None:
    """End it badly."""
    told = ("AttemptFailed", {"type": "ValueError", "message": error, "traceback": f"Traceback\n{error}"})
    if dead:
        ending = Ending("dead", [told, ("DeadLettered", {"error": error, "runs": 1})], counts=True, error=error)
    else:
        ending = Ending("retrying", [told, ("RetryScheduled", {"delay": 0.0, "runs": 1, "of": 5})], counts=True, error=error)
    assert home().jobs.end(run, ending)


def wrote(run: Started, data: bytes, name: str = "output", last: bool = False, kind: str = "text/csv", **more: Any) -> None:
    """Append to a stream."""
    frame = Chunk(stream=name, content_type=kind, metadata={}, ttl=None, data=data, last=last, **more)
    assert Output(home().database).chunk(run, frame)


def logged(run: Started, *messages: str) -> None:
    """Append to the log."""
    Output(home().database).lines(
        run.id, [LogLine(run.start, "INFO", message, {"job": run.id, "part": "x"}, run.created) for message in messages]
    )


def order(name: str, **more: Any) -> str:
    """Queue a job; its id."""
    return charge.enqueue(Order(order_id=name, **more)).id
