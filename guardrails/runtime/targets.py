"""Targets of schedules that are no jobs: an HTTP destination and a sandboxed command become one job each, with the same limits.

Retries and records.
"""

import json
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from guardrails.runtime.declare import Job, job, registry
from guardrails.runtime.errors import DeclarationError, Transient


class Tick(BaseModel):
    """Which tick of which schedule."""

    schedule: str
    at: datetime


def job_for(name: str, target: Any) -> tuple[Job[Any, Any], Any]:
    """A job that delivers to a destination or runs a command at each tick, with its payload. Raises DeclarationError."""
    from guardrails.runtime.destinations import Destination
    from guardrails.runtime.sandbox import Command

    called = f"schedule-{name}"
    if isinstance(target, Destination):
        made = job(timeout=target.timeout + 5.0, key=lambda tick: tick.at.isoformat(), name=called, isolation="process")(
            _delivery(called, target)
        )
    elif isinstance(target, Command):
        made = job(timeout=target.wall + 10.0, key=lambda tick: tick.at.isoformat(), name=called)(_command(called, target))
    else:
        raise DeclarationError(
            f"Schedule {name}: its target is a job, destinations.http(..) or sandbox.command(..), not {type(target).__name__}."
        )
    registry.jobs[called] = made
    return made, lambda at: Tick(schedule=name, at=at)


def _delivery(called: str, target: Any) -> Any:
    def deliver(tick: Tick) -> dict[str, int]:
        from guardrails.runtime import context, destinations

        running = context.current()
        body = json.dumps({"type": "schedule.tick", "schedule": tick.schedule, "at": tick.at.isoformat()}).encode()
        done = destinations.deliver(target, body, message_id=running.id, key=running.key, at=datetime.now(UTC).timestamp())
        return {"status": done.status}

    deliver.__name__ = called
    return deliver


def _command(called: str, target: Any) -> Any:
    def run(tick: Tick) -> dict[str, Any]:
        outcome = target.run()
        if outcome.stopped_by is not None or outcome.exit_code != 0:
            raise Transient(f"the command of schedule {tick.schedule} ended with {outcome.stopped_by or outcome.exit_code}")
        return {"exit_code": outcome.exit_code, "wall_seconds": outcome.wall_seconds}

    run.__name__ = called
    return run
