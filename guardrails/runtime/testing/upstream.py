"""What comes from outside: an event that a sender repeats, and time that passes for schedules."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from guardrails.runtime.declare import registry
from guardrails.runtime.errors import UnknownJob
from guardrails.runtime.home import home
from guardrails.runtime.scheduled import Scheduled
from guardrails.runtime.scheduled import tick as see
from guardrails.runtime.secret import SecretRef
from guardrails.runtime.signature import Headers, Verified
from guardrails.runtime.testing.queued import Enqueued, enqueued
from guardrails.runtime.ticks import run_key
from guardrails.runtime.webhooks import Hook, Reply, receive


@dataclass(frozen=True, slots=True)
class _Trusting:
    """A verifier that takes the test's word for who sent what."""

    event_id: str | None
    kind: str | None
    secrets: tuple[SecretRef, ...] = ()
    names_events: bool = True

    def verify(self, headers: Headers, body: bytes, now: float) -> Verified:
        return Verified(self.event_id, now, self.kind)


def replay(
    hook: Hook | str, event: Mapping[str, Any], times: int = 2, *, event_id: str | None = None, kind: str | None = None
) -> list[Reply]:
    """Send an event to a webhook (or the one at a path) `times` times, as senders do that got no answer; the replies.

    Its signature is taken for good. `event_id` and `kind` are what the sender says of it, by default the event's own "id" and "type".
    Raises AssertionError if the replies are about different jobs: then its key changes from one sending to the next.
    """
    found = registry.webhooks.get(hook) if isinstance(hook, str) else hook
    if found is None:
        raise UnknownJob(f"No webhook is declared at {hook}; there are: {', '.join(sorted(registry.webhooks)) or 'none'}.")
    said = [str(event[name]) if event.get(name) is not None else None for name in ("id", "type")]
    trusting = replace(found, verify=_Trusting(event_id or said[0], kind or said[1]))
    body = json.dumps(event).encode()
    replies = [receive(trusting, {}, body, time.time(), found.job.enqueue_with_key) for _ in range(times)]
    jobs = {reply.json.get("id") for reply in replies}
    if len(jobs) > 1:
        raise AssertionError(f"{times} sendings of one event to {found.path} made {len(jobs)} jobs: its key must come from the event.")
    return replies


@dataclass(frozen=True, slots=True)
class Tick:
    """A tick of a schedule: when (UTC), and what its job gets under which key."""

    at: datetime
    key: str
    payload: BaseModel


def ticks(name: str, after: datetime, until: datetime, limit: int = 1000) -> list[Tick]:
    """The ticks of a declared schedule in (after, until], with their payloads; nothing is queued. The times need a time zone."""
    declared = registry.schedules.get(name)
    if declared is None:
        raise UnknownJob(f"No schedule is called {name!r}; there are: {', '.join(sorted(registry.schedules)) or 'none'}.")
    found = declared.when.ticks_between(_seconds(after), _seconds(until), limit)
    return [_tick(declared, at) for at in found]


def advance(to: datetime) -> list[Enqueued]:
    """Let the schedules see this time, as a worker would; what that queued. The first call of a test only starts them.

    A tick that finds the job of an earlier one unfinished is skipped, so `drain` between two calls.
    """
    new = see(home(), _seconds(to))
    return [job for job in enqueued() if job.id in new]


def _tick(declared: Scheduled, at: float) -> Tick:
    when = datetime.fromtimestamp(at, UTC)
    payload = declared.payload if isinstance(declared.payload, BaseModel) else declared.payload(when)
    return Tick(when, run_key(declared.name, at), payload)


def _seconds(at: datetime) -> float:
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} has no time zone: write datetime(.., tzinfo=UTC).")
    return at.timestamp()
