"""One job in full, as data and as text."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from guardrails.cli.job_text import STYLES, away, clock, compact, fact, moment, span
from guardrails.report.ink import Ink
from guardrails.report.safe import visible, visible_code, wrap

if TYPE_CHECKING:
    from guardrails.runtime.store.reading import Reading, Seen

ENDS = {
    "Done": "done",
    "AttemptFailed": "failed",
    "TimedOut": "timed out",
    "Cancelled": "cancelled",
    "HandedBack": "handed back",
    "Rescued": "died with its worker",
    "Waiting": "no worker could run it",
}


def page(reading: Reading, seen: Seen) -> dict[str, Any]:
    """A job as JSON, with its attempts, finished steps and streams."""
    from guardrails.runtime import shown
    from guardrails.runtime.home import home
    from guardrails.runtime.store.streams import Streams

    glass, streams = shown.Glass(seen), Streams(home().database)
    events = [shown.event(glass, told) for told in reading.events(seen.id, limit=10_000)]
    steps = home().client.steps(seen.id, 1, (seen.generation + 1, 0))
    return {
        **shown.job(seen, glass),
        "attempts_made": list(_attempts(events)),
        "steps": sorted(steps),
        "streams": [shown.stream(streams.about(seen.id, name)) for name in streams.names(seen.id)],
    }


def _attempts(events: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The runs, from their events: {"run", "started", "ended", "how", "error", "traceback"}; how is null while it goes on."""
    present: dict[str, Any] | None = None
    for event in events:
        data = event["data"]
        if event["type"] == "Started":
            present = {"run": event["run"], "started": event["at"], "ended": None, "how": None, "error": None, "traceback": None}
        elif event["type"] in ENDS and present is not None:
            told = {"ended": event["at"], "how": ENDS[event["type"]], "error": data.get("message"), "traceback": data.get("traceback")}
            yield present | told
            present = None
    if present is not None:
        yield present


def lines(data: dict[str, Any], ink: Ink, columns: int) -> Iterator[str]:
    """A job for people."""
    now = time.time()
    yield f"{ink(visible(data['name']), 'strong')} {visible(data['key'])}"
    yield from _facts(data, ink, now)
    if data["error"]:
        yield from wrap(data["error"], columns, first="  " + ink("error", "quiet") + "     ", rest=" " * 12)
    if data["attempts_made"]:
        yield ink("Attempts", "strong")
        for attempt in data["attempts_made"]:
            yield from _attempt(attempt, ink, columns, now)
    if data["steps"]:
        yield f"{ink('Steps finished', 'strong')} {visible(', '.join(data['steps']))}"
    for stream in data["streams"]:
        state = "complete" if stream["closed"] else "growing"
        yield f"{ink('Stream', 'strong')} {visible(stream['name'])} {visible(stream['content_type'])}, {stream['length']:,} bytes, {state}"
    last = next((attempt["traceback"] for attempt in reversed(data["attempts_made"]) if attempt["traceback"]), None)
    if last:
        yield ink("Traceback of the last failure", "strong")
        yield from (f"  {visible_code(line)}" for line in last.splitlines())
    if data["status"] in ("dead", "cancelled"):
        yield f"Queue it again: guardrails jobs requeue {data['id']}"


def _facts(data: dict[str, Any], ink: Ink, now: float) -> Iterator[str]:
    status = ink(data["status"], STYLES[data["status"]]) if data["status"] in STYLES else data["status"]
    used = f"{data['runs']} of {data['attempts']} attempts failed" + (", to be cancelled" if data["cancel"] else "")
    yield fact("status", f"{status} ({used})", ink)
    yield fact("id", data["id"], ink)
    yield fact("queue", visible(data["queue"]), ink)
    for label, name in (("queued", "created"), ("next run", "due"), ("started", "started"), ("ended", "finished")):
        if data[name] is not None:
            yield fact(label, f"{moment(data[name])} ({away(data[name], now)})", ink)
    if data["worker"]:
        yield fact("worker", visible(data["worker"]), ink)
    yield fact("payload", compact(data["payload"]), ink)
    if data["progress"]:
        total = f" of {data['progress']['total']:g}" if data["progress"].get("total") is not None else ""
        yield fact("progress", visible(f"{data['progress']['done']:g}{total} {data['progress'].get('note', '')}".rstrip()), ink)
    if data["result"] is not None or data["status"] == "done":
        yield fact("result", compact(data["result"]), ink)


def _attempt(attempt: dict[str, Any], ink: Ink, columns: int, now: float) -> Iterator[str]:
    took = span((attempt["ended"] or now) - attempt["started"])
    how = f"{attempt['how']} after {took}" if attempt["how"] else f"runs for {took}"
    told = f"{how}: {attempt['error']}" if attempt["error"] else how
    yield from wrap(told, columns, first=f"  {attempt['run']:<3}{ink(clock(attempt['started']), 'quiet')}  ", rest=" " * 19)
