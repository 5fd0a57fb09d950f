"""What the pages tell, asked of the database. Everything here blocks: call it through `Desk.work`."""

import json
import time
from dataclasses import dataclass
from typing import Any

from guardrails.runtime.declare import registry
from guardrails.runtime.home import home
from guardrails.runtime.http import book, shown
from guardrails.runtime.scheduled import lasts
from guardrails.runtime.shown import Glass, line, stream
from guardrails.runtime.store.reading import Seen, Told
from guardrails.runtime.store.tables import STATUSES
from guardrails.runtime.store.waiting import ages
from guardrails.runtime.ticks import Cron, Every

ROWS = 12
PAGE = 50
LOG = 500
EVENTS = 400
BOUND = ("job", "name", "attempt", "queue")


@dataclass(frozen=True, slots=True)
class Row:
    """A job in a table."""

    id: str
    name: str
    key: str
    queue: str
    status: str
    runs: int
    attempts: int
    cancel: bool
    progress: dict[str, Any] | None
    error: str
    created: float
    due: float | None
    started: float | None
    finished: float | None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A schedule: how it is written, and when it ticks next and ticked last (epoch seconds)."""

    name: str
    when: str
    job: str
    next: float
    last: float | None


@dataclass(frozen=True, slots=True)
class Moment:
    """An event on a job's timeline; `gap` is seconds since the one before."""

    told: Told
    gap: float
    text: str
    detail: str


def overview() -> dict[str, Any]:
    """The first page."""
    reading = book.reading()
    counts = {queue: dict.fromkeys(STATUSES, 0) for queue in registry.queue_names()} if registry.jobs else {}
    counts |= reading.counts()
    return {
        "database": home().database.shown,
        "workers": reading.workers(),
        "queues": dict(sorted(counts.items())),
        "ages": ages(home().database),
        "totals": {status: sum(of[status] for of in counts.values()) for status in STATUSES},
        "schedules": schedules(),
        "running": _rows(("running",)),
        "waiting": _rows(("queued", "retrying")),
        "dead": _rows(("dead",)),
        "recent": _rows(("done", "cancelled")),
    }


def listing(statuses: list[str], queue: str | None, name: str | None, before: str | None) -> dict[str, Any]:
    """Jobs in a table, the newest first."""
    found = [_row(seen) for seen in book.reading().jobs(statuses, queue, name, PAGE + 1, before)]
    return {"rows": found[:PAGE], "more": found[PAGE - 1].id if len(found) > PAGE else None}


def one(job: str) -> dict[str, Any]:
    """A job with all that belongs to it. Raises UnknownJob."""
    seen = book.task(job)
    glass = Glass(seen)
    return {
        "job": shown.task(seen, glass),
        "row": _row(seen),
        "declared": seen.name in registry.jobs,
        "events": moments(glass, book.timeline(seen, EVENTS)),
        "lines": [_line(line(glass, found)) for found in book.last_lines(job, LOG)],
        "streams": [stream(about) for about in book.streams(job)],
        "steps": {name: glass.text(result) for name, result in book.steps(seen).items()},
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    """A line without the fields that each line of this job has."""
    return line | {"fields": {name: value for name, value in line["fields"].items() if name not in BOUND}}


def moments(glass: Glass, events: list[Told]) -> list[Moment]:
    """Events with what they say in words, and how long after the one before they came."""
    made, before = [], events[0].at if events else 0.0
    for event in events:
        data = glass.value(event.data)
        made.append(Moment(event, max(0.0, event.at - before), _said(event.type, data), str(data.get("traceback") or "")))
        before = event.at
    return made


def _said(kind: str, data: dict[str, Any]) -> str:
    """An event's data in words."""
    match kind, data:
        case "Progress", {"done": done, "total": total, "note": note}:
            return f"{done:g}" + (f" of {total:g}" if total is not None else "") + (f" · {note}" if note else "")
        case "RetryScheduled", {"delay": delay, "runs": runs, "of": of}:
            return f"in {delay:.1f} s, after run {runs} of {of}"
        case "Requeued", {"generation": generation, **rest}:
            return f"generation {generation}" + (", from the start" if rest.get("from_start") else ", finished steps are kept")
        case "Started", {"worker": worker}:
            return f"on {worker}"
        case _, {"message": message, **rest}:
            named = str(rest.get("type") or "")
            return str(message) if not named or str(message).startswith(named) else f"{named}: {message}"
        case _, ({"error": why} | {"why": why}):
            return str(why)
    told = {name: value for name, value in data.items() if name != "traceback"}
    return json.dumps(told, ensure_ascii=False) if told else ""


def schedules() -> list[Rhythm]:
    """The declared schedules, the next tick first."""
    now, last = time.time(), lasts(home().database)
    found = [
        Rhythm(one.name, _written(one.when), one.job.name, one.when.next_after(now), last.get((one.name, one.described)))
        for one in registry.schedules.values()
    ]
    return sorted(found, key=lambda rhythm: rhythm.next)


def _written(when: object) -> str:
    match when:
        case Cron():
            return f"{when.text} ({when.zone})"
        case Every():
            return f"every {when.seconds:g} s"
    return str(when)


def _rows(statuses: tuple[str, ...]) -> list[Row]:
    return [_row(seen) for seen in book.nearest(statuses, ROWS)]


def _row(seen: Seen) -> Row:
    glass = Glass(seen)
    return Row(
        seen.id,
        seen.name,
        glass.text(seen.key),
        seen.queue,
        seen.status,
        seen.runs,
        seen.attempts,
        seen.cancel,
        glass.value(seen.progress),
        glass.text(seen.error or ""),
        seen.created,
        seen.due,
        seen.started,
        seen.finished,
    )
