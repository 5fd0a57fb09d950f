"""Webhooks: an upstream event becomes a job, queued under the event's own id, and the sender gets its answer at once."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import msgspec
from pydantic import BaseModel, ValidationError

from guardrails.runtime.declare import Handle, Job, registry
from guardrails.runtime.errors import DatabaseRefused, DeclarationError, KeyConflict, PayloadRefused, SecretMissing, SignatureRefused
from guardrails.runtime.numeric import is_whole
from guardrails.runtime.signature import Headers, Verified, Verifier

BODY_LIMIT = 1 << 20  # bytes
Event = dict[str, Any]
Enqueue = Callable[[BaseModel, str], Handle]
logger = logging.getLogger("guardrails.runtime.webhooks")


@dataclass(frozen=True, slots=True)
class Hook:
    """A declared webhook; make one with `webhook(..)`."""

    path: str
    verify: Verifier
    job: Job[Any, Any]
    payload: Callable[[Event], BaseModel | None]
    key: Callable[[Event], str] | None
    kinds: frozenset[str] | None
    body_limit: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender is told: a status, a JSON object, and for a queued job the value of the Location header."""

    status: int
    json: dict[str, Any]
    location: str | None = None


def webhook(
    path: str,
    *,
    verify: Verifier,
    job: Job[Any, Any],
    payload: Callable[[Event], BaseModel | None],
    key: Callable[[Event], str] | None = None,
    kinds: Collection[str] | None = None,
    body_limit: int = BODY_LIMIT,
) -> Hook:
    """Declare a route, served by `guardrails serve`, that queues `job` for each event: once for an event's id, however often it is sent.

    `payload` turns the event (a JSON object) into the job's payload, or gives None for an event to accept and ignore. `kinds`: where given,
    other kinds of event (X-GitHub-Event, Stripe's `type`) are accepted and ignored. `key`: the job's key, where it shall not be the event's
    id; keys are the job's, so two senders that number their events alike need a `key` that tells them apart. `body_limit` in bytes.
    Raises DeclarationError.
    """
    if not path.startswith("/") or path.startswith("//") or not path.isprintable() or any(sign in path for sign in "{}?#%\\ "):
        raise DeclarationError(f"The webhook's path {path!r} must begin with one '/' and hold neither parameters, query nor spaces.")
    known = registry.webhooks.get(path)
    if known is not None and _place(known.payload) != _place(payload):
        raise DeclarationError(f"Two webhooks are declared at {path}: give one of them another path.")
    if key is None and not verify.names_events:
        raise DeclarationError(
            f"The webhook {path} gets no event id from its signature: name a header with event_header=.., or give key=.."
        )
    if not is_whole(body_limit) or body_limit < 1:
        raise DeclarationError(f"The webhook {path}: body_limit is a number of bytes above 0, not {body_limit!r}.")
    if isinstance(kinds, str):
        raise DeclarationError(f"The webhook {path}: kinds is a list of event kinds, such as kinds=[{kinds!r}].")
    hook = Hook(path, verify, job, payload, key, None if kinds is None else frozenset(kinds), body_limit)
    registry.webhooks[path] = hook
    return hook


def _place(function: Callable[..., object]) -> object:
    """Where a function stands, the same for a module that is imported twice, as `__main__` and by its name."""
    code = getattr(function, "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code else function


def receive(hook: Hook, headers: Headers, body: bytes, now: float, enqueue: Enqueue) -> Reply:
    """Answer a request: 202 queued, known or ignored; 401 signature, 400 no event, 413 too large, 422 refused, 503 send it again.

    `body` is the raw body; a service that has read more than `hook.body_limit` bytes may stop there. `now` in epoch seconds.
    `enqueue(payload, key)` may block. What the application's callables raise beyond a refusal of the event comes through.
    """
    if len(body) > hook.body_limit:
        return _no(413, f"The body has more than {hook.body_limit:,} bytes.")
    try:
        verified = hook.verify.verify(headers, body, now)
        event = _event(body)
        if event is None:
            return _no(400, "The body is not a JSON object; set the webhook's content type to application/json.")
        return _accepted(hook, verified, event, enqueue)
    except SignatureRefused as error:
        return _no(401, str(error))
    except PayloadRefused as error:
        return _no(422, str(error))
    except (SecretMissing, DatabaseRefused) as error:
        logger.error("webhook %s cannot take events: %s", hook.path, error)
        return _no(503, "Events cannot be taken at the moment; send this one again.")


def _event(body: bytes) -> Event | None:
    try:
        event = msgspec.json.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _accepted(hook: Hook, verified: Verified, event: Event, enqueue: Enqueue) -> Reply:
    payload = None if hook.kinds is not None and verified.kind not in hook.kinds else _asked(hook.payload, event)
    if payload is None:
        return Reply(202, {"ignored": True})
    key = _asked(hook.key, event) if hook.key else verified.event_id
    if key is None:
        return _no(400, "The event has no id, so it could not be told from a repetition.")
    if isinstance(key, bool) or not isinstance(key, (str, int)):
        raise PayloadRefused(f"The event's key is a {type(key).__name__}: it must be text or a whole number.")
    try:
        handle = enqueue(payload, str(key))
    except KeyConflict as conflict:
        logger.warning("webhook %s: event %r came again with another payload; job %s of the first one stands", hook.path, key, conflict.job)
        return _queued(conflict.job)
    return _queued(handle.id)


def _asked(callback: Callable[[Event], Any], event: Event) -> Any:
    """What the application makes of an event; one that has not the shape it reads is refused, without its values in the reply."""
    try:
        return callback(event)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in error.errors())
        raise PayloadRefused(f"The event does not fit: {faults}.") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        logger.warning("a webhook's event does not have the shape that its payload function reads", exc_info=error)
        raise PayloadRefused("The event does not have the shape that is read here.") from error


def _queued(job: str) -> Reply:
    location = f"/api/tasks/{job}"
    return Reply(202, {"id": job, "url": location}, location)


def _no(status: int, sentence: str) -> Reply:
    return Reply(status, {"error": sentence})
