"""`/api/tasks`: queue a job, look at it, cancel and requeue it, read its log."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from guardrails.runtime.declare import registry
from guardrails.runtime.errors import KeyConflict, RuntimeFault
from guardrails.runtime.http import bodies, book, shown
from guardrails.runtime.http.described import INPUT, Described, answer, array, content, parameter, problems, ref
from guardrails.runtime.http.desk import Desk
from guardrails.runtime.http.problems import Problem
from guardrails.runtime.shown import Glass, line, stream
from guardrails.runtime.store.tables import STATUSES

NUMBER = {"type": "integer"}


class New(msgspec.Struct, forbid_unknown_fields=True):
    """A job to queue; `delay` in seconds."""

    job: str
    payload: msgspec.Raw
    delay: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class Again(msgspec.Struct, forbid_unknown_fields=True):
    """How to requeue."""

    from_start: bool = False


class Filter(msgspec.Struct, forbid_unknown_fields=True):
    """Which jobs to list."""

    status: list[str] = []
    queue: str | None = None
    name: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    before: str | None = None


class After(msgspec.Struct, forbid_unknown_fields=True):
    """Where a page of the log begins."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000


def routes(desk: Desk) -> list[Described]:
    """The routes."""

    async def create(request: Request) -> Response:
        new = await bodies.read(request, New, desk.serving.body_limit, desk.serving.body_seconds)
        return await _queued(desk, new)

    async def listed(request: Request) -> Response:
        wanted = bodies.query(request, Filter, frozenset({"status"}))
        if unknown := [status for status in wanted.status if status not in STATUSES]:
            raise Problem(422, f"There is no status {unknown[0]!r}: {', '.join(STATUSES)}.")
        found = await desk.work(_page, wanted)
        return JSONResponse({"tasks": found, "next": _next(wanted, found)})

    async def one(request: Request) -> Response:
        return await _told(desk, request, 200)

    async def cancel(request: Request) -> Response:
        seen = await desk.work(book.cancel, request.path_params["id"])
        return JSONResponse(await desk.work(shown.task, seen))

    async def requeue(request: Request) -> Response:
        again = await bodies.read(request, Again, desk.serving.body_limit, desk.serving.body_seconds, Again())
        seen = await desk.work(book.requeue, request.path_params["id"], again.from_start)
        made = await desk.work(shown.task, seen)
        return JSONResponse(made, 202, {"Location": made["links"]["self"]})

    async def log(request: Request) -> Response:
        wanted, job = bodies.query(request, After), request.path_params["id"]
        lines = await desk.work(_lines, job, wanted.after, wanted.limit)
        return JSONResponse({"lines": lines, "after": lines[-1]["id"] if lines else wanted.after})

    here = "/api/tasks/{id}"
    return [
        Described("POST", "/api/tasks", create, CREATE),
        Described("GET", "/api/tasks", listed, LIST),
        Described("GET", here, one, SHOW),
        Described("POST", f"{here}/cancel", cancel, CANCEL),
        Described("POST", f"{here}/requeue", requeue, REQUEUE),
        Described("GET", f"{here}/log", log, LOG),
    ]


async def _queued(desk: Desk, new: New) -> Response:
    try:
        handle = await desk.work(book.enqueue, new.job, bytes(new.payload), new.delay)
    except RuntimeFault as fault:
        outcome = "conflict" if isinstance(fault, KeyConflict) else "refused"
        desk.figures.enqueues.labels(new.job if new.job in registry.jobs else "unknown", outcome).inc()
        raise
    desk.figures.enqueues.labels(handle.name, "created" if handle.created else "known").inc()
    place = f"/api/tasks/{handle.id}"
    told = {"id": handle.id, "name": handle.name, "key": handle.key, "created": handle.created, "url": place}
    return JSONResponse(told, 202, {"Location": place})


async def _told(desk: Desk, request: Request, status: int) -> Response:
    return JSONResponse(await desk.work(_shown, request.path_params["id"]), status)


def _shown(job: str) -> dict[str, object]:
    seen = book.task(job)
    streams = [stream(about) for about in book.streams(job)]
    return shown.task(seen) | {"streams": streams}


def _page(wanted: Filter) -> list[dict[str, object]]:
    found = book.reading().jobs(wanted.status, wanted.queue, wanted.name, wanted.limit, wanted.before)
    return [shown.task(seen) for seen in found]


def _lines(job: str, after: int, limit: int) -> list[dict[str, object]]:
    glass = Glass(book.task(job))
    return [line(glass, found) for found in book.lines(job, after, limit)]


def _next(wanted: Filter, found: list[dict[str, object]]) -> str | None:
    if len(found) < wanted.limit:
        return None
    given = {"queue": wanted.queue, "name": wanted.name, "limit": wanted.limit, "before": found[-1]["id"]}
    pairs = [*(("status", status) for status in wanted.status), *((name, value) for name, value in given.items() if value is not None)]
    return f"/api/tasks?{urlencode(pairs)}"


PLACE = {"Location": {"type": "string", "format": "uri-reference"}}
CREATE = {
    "summary": "Queue a job",
    "description": "The same key with the same payload gives the first job again (`created` is false).",
    "operationId": "createTask",
    "requestBody": {"required": True, "content": content(ref("NewTask"))},
    "responses": {"202": answer("Queued, or known.", ref("Handle"), PLACE), **problems(400, 401, 404, 408, 409, 413, 415, 422, 503)},
}
LIST = {
    "summary": "List jobs, the newest first",
    "operationId": "listTasks",
    "parameters": [
        parameter("status", array({"type": "string", "enum": list(STATUSES)}), "Only these; may stand several times."),
        parameter("queue", INPUT),
        parameter("name", INPUT),
        parameter("limit", NUMBER | {"minimum": 1, "maximum": 200, "default": 50}),
        parameter("before", INPUT, "The id after which the page goes on."),
    ],
    "responses": {"200": answer("Jobs.", ref("Tasks")), **problems(401, 422, 503)},
}
SHOW = {
    "summary": "A job as it stands",
    "operationId": "showTask",
    "responses": {"200": answer("The job.", ref("TaskWithStreams")), **problems(401, 404, 503)},
}
CANCEL = {
    "summary": "Cancel a job",
    "description": "At once where no run is on, else its worker stops it.",
    "operationId": "cancelTask",
    "responses": {"200": answer("The job as it stands.", ref("Task")), **problems(401, 404, 409, 503)},
}
REQUEUE = {
    "summary": "Requeue a dead or cancelled job",
    "description": "A new generation, which keeps the job's finished steps unless `from_start`.",
    "operationId": "requeueTask",
    "requestBody": {"required": False, "content": content(ref("Requeue"))},
    "responses": {"202": answer("Queued again.", ref("Task"), PLACE), **problems(400, 401, 404, 408, 409, 413, 415, 422, 503)},
}
LOG = {
    "summary": "A job's log",
    "operationId": "taskLog",
    "parameters": [
        parameter("after", NUMBER | {"minimum": 0, "maximum": 2**53, "default": 0}, "The id of the last line that you have."),
        parameter("limit", NUMBER | {"minimum": 1, "maximum": 1000, "default": 1000}),
    ],
    "responses": {"200": answer("Lines, the oldest first.", ref("Log")), **problems(401, 404, 422, 503)},
}
