"""Work that is done over HTTP or by a command: jobs made of a destination or a command, and outcomes delivered to a destination.

All are jobs like any other: with a limit, a key, retries, a record; the job's key travels as `Idempotency-Key`.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from guardrails.runtime.declare import Job, Retry, job, registry
from guardrails.runtime.errors import DeclarationError, DestinationRefused, SandboxRefused, Transient

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from guardrails.runtime.destinations import Destination
    from guardrails.runtime.sandbox import Command
    from guardrails.runtime.store.jobs import Event

OVERHEAD = 10.0  # seconds that a job of this kind has beside its destination's or command's own limit
OUTCOMES = {"Done": "job.done", "DeadLettered": "job.dead", "Cancelled": "job.cancelled"}
CALLBACK = "guardrails-callback"


class Tick(BaseModel):
    """Which tick of which schedule."""

    schedule: str
    at: datetime


class Outcome(BaseModel):
    """How a job ended, as its callback tells."""

    job: str
    name: str
    key: str
    status: str
    type: str


def http_job(
    name: str,
    model: type[BaseModel],
    destination: "Destination",
    *,
    key: Callable[[Any], object],
    retry: Retry | None = None,
    queue: str = "default",
) -> Job[Any, Any]:
    """A job whose work is done elsewhere: its payload is posted to a destination as JSON; 4xx answers are terminal, others are tried again.

    The delivery is signed (Standard Webhooks), its id is the job's, and its `Idempotency-Key` the job's key.
    """

    def post(payload: BaseModel) -> dict[str, int]:
        return _post(destination, json.dumps({"type": name, "data": payload.model_dump(mode="json")}))

    return _declared(name, post, model, destination.timeout, key=key, retry=retry, queue=queue)


def job_for(schedule: str, target: Any) -> tuple[Job[Any, Any], Callable[[datetime], Tick]]:
    """A job that delivers to a destination or runs a command at each tick of a schedule, with its payload. Raises DeclarationError."""
    from guardrails.runtime.destinations import Destination
    from guardrails.runtime.sandbox import Command

    if isinstance(target, Destination):
        body, limit = _tick_poster(target), target.timeout
    elif isinstance(target, Command):
        body, limit = _tick_runner(target), target.wall
    else:
        raise DeclarationError(
            f"Schedule {schedule}: its target is a job, destinations.http(..) or sandbox.command(..), not {type(target).__name__}."
        )
    hopeless = Retry(terminal=(SandboxRefused, DestinationRefused))  # what is missing here does not appear by waiting
    made = _declared(f"schedule-{schedule}", body, Tick, limit, key=lambda tick: tick.at.isoformat(), retry=hopeless)
    return made, lambda at: Tick(schedule=schedule, at=at)


def tell_outcomes() -> None:
    """See to it that jobs with a callback tell how they end: within the transaction that records it, a job is queued that delivers."""
    if CALLBACK not in registry.jobs:
        _declared(CALLBACK, _deliver_outcome, Outcome, 60.0, key=lambda told: f"{told.job}/{told.type}", retry=Retry(10))
        registry.status_hooks.append(_queue_outcome)


def _queue_outcome(connection: "Connection", event: "Event") -> None:
    from guardrails.runtime.enqueue import prepared
    from guardrails.runtime.home import home

    ended = registry.jobs.get(event.name)
    if event.type not in OUTCOMES or ended is None or ended.callback is None:
        return
    told = Outcome(job=event.job, name=event.name, key=event.key, status=event.status, type=OUTCOMES[event.type])
    key = f"{event.job}/{event.seq}"  # a requeued job may end once more
    home().jobs.add(connection, prepared(registry.jobs[CALLBACK], told, key))


def _deliver_outcome(told: Outcome) -> dict[str, int]:
    destination = registry.job(told.name).callback
    return _post(destination, json.dumps({"type": told.type, "data": told.model_dump(mode="json", exclude={"type"})}))


def _tick_poster(destination: "Destination") -> Callable[[Tick], dict[str, int]]:
    def post(tick: Tick) -> dict[str, int]:
        return _post(destination, json.dumps({"type": "schedule.tick", "data": tick.model_dump(mode="json")}))

    return post


def _tick_runner(command: "Command") -> Callable[[Tick], dict[str, Any]]:
    def run(tick: Tick) -> dict[str, Any]:
        outcome = command.run()
        if outcome.stopped_by is not None or outcome.exit_code != 0:
            raise Transient(f"the command of schedule {tick.schedule} ended with {outcome.stopped_by or outcome.exit_code}")
        return {"exit_code": outcome.exit_code, "wall_seconds": outcome.wall_seconds}

    return run


def _post(destination: "Destination", body: str) -> dict[str, int]:
    from guardrails.runtime import context, destinations

    running = context.current()
    now = datetime.now(UTC).timestamp()
    return {"status": destinations.deliver(destination, body.encode(), message_id=running.id, key=running.key, at=now).status}


def _declared(name: str, body: Callable[[Any], Any], model: type[BaseModel], limit: float, **options: Any) -> Job[Any, Any]:
    """A job of ours; declaring it once more replaces it."""
    body.__name__ = name
    body.__annotations__ = {**body.__annotations__, next(iter(body.__annotations__)): model}
    registry.jobs.pop(name, None)
    return job(timeout=limit + OVERHEAD, name=name, **options)(body)
