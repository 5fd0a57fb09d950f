"""`/api/work`: work items for people and agents."""

from typing import Annotated, Any, cast
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from guardrails.runtime import tasks
from guardrails.runtime.http import bodies
from guardrails.runtime.http.described import INPUT, Described, answer, array, content, parameter, problems, ref
from guardrails.runtime.http.desk import Desk

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=tasks.LONGEST_TITLE)]
Description = Annotated[str, msgspec.Meta(max_length=65_536)]
Tags = Annotated[list[Annotated[str, msgspec.Meta(min_length=1, max_length=100)]], msgspec.Meta(max_length=50)]


class Item(msgspec.Struct, forbid_unknown_fields=True):
    """A new item."""

    title: Title
    description: Description = ""
    tags: Tags = []
    job: str | None = None
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=512)] | None = None


class Change(msgspec.Struct, forbid_unknown_fields=True):
    """What to change of an item."""

    title: Title | None = None
    description: Description | None = None
    tags: Tags | None = None
    status: str | None = None


class Filter(msgspec.Struct, forbid_unknown_fields=True):
    """Which items to list."""

    status: str | None = None
    tag: str | None = None
    job: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100


def routes(desk: Desk) -> list[Described]:
    """The routes."""

    async def listed(request: Request) -> Response:
        wanted = bodies.query(request, Filter)
        found = await desk.work(tasks.list, wanted.status, wanted.tag, wanted.job, wanted.limit)
        return JSONResponse({"items": [_told(item) for item in found]})

    async def create(request: Request) -> Response:
        new = await bodies.read(request, Item, desk.serving.body_limit, desk.serving.body_seconds)
        made = _told(await desk.work(tasks.create, new.title, new.description, new.tags, new.job, new.key))
        return JSONResponse(made, 201, {"Location": made["url"]})

    async def one(request: Request) -> Response:
        return JSONResponse(_told(await desk.work(tasks.get, request.path_params["id"])))

    async def change(request: Request) -> Response:
        asked = await bodies.read(request, Change, desk.serving.body_limit, desk.serving.body_seconds)
        status = cast("tasks.Status | None", asked.status)
        given: dict[str, Any] = {"title": asked.title, "description": asked.description, "tags": asked.tags, "status": status}
        return JSONResponse(_told(await desk.work(tasks.update, request.path_params["id"], **given)))

    return [
        Described("GET", "/api/work", listed, LIST),
        Described("POST", "/api/work", create, CREATE),
        Described("GET", "/api/work/{id:path}", one, SHOW),
        Described("PATCH", "/api/work/{id:path}", change, CHANGE),
    ]


def _told(item: tasks.Task) -> dict[str, Any]:
    told = {name: getattr(item, name) for name in ("id", "title", "description", "status", "job", "created", "updated")}
    return {**told, "tags": list(item.tags), "url": f"/api/work/{quote(item.id, safe=':')}"}


STATUS = {"type": "string", "enum": list(tasks.STATUSES)}
CREATE = {
    "summary": "Create a work item",
    "description": "With a `key` it is created once: the same key gives the item that is there.",
    "operationId": "createWork",
    "requestBody": {"required": True, "content": content(ref("NewWork"))},
    "responses": {
        "201": answer("The item.", ref("Work"), {"Location": {"type": "string", "format": "uri-reference"}}),
        **problems(400, 401, 408, 413, 415, 422, 503),
    },
}
LIST = {
    "summary": "List work items, the newest first",
    "operationId": "listWork",
    "parameters": [
        parameter("status", INPUT),
        parameter("tag", INPUT),
        parameter("job", INPUT),
        parameter("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}),
    ],
    "responses": {
        "200": answer("Items.", {"type": "object", "properties": {"items": array(ref("Work"))}, "required": ["items"]}),
        **problems(401, 422, 503),
    },
}
SHOW = {
    "summary": "A work item",
    "operationId": "showWork",
    "responses": {"200": answer("The item.", ref("Work")), **problems(401, 404, 503)},
}
CHANGE = {
    "summary": "Change a work item",
    "operationId": "changeWork",
    "requestBody": {"required": True, "content": content(ref("WorkChange"))},
    "responses": {"200": answer("The item.", ref("Work")), **problems(400, 401, 404, 408, 413, 415, 422, 503)},
}
