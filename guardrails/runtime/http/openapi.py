"""The OpenAPI document: the routes' own descriptions, and the schemas that they name."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from guardrails.runtime import tasks
from guardrails.runtime.http.described import INPUT, Data, Described, array, content, described, either, parameter, ref
from guardrails.runtime.store.tables import STATUSES

TEXT, NUMBER, WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
MAYBE_TEXT, MAYBE_TIME = either("string", "null"), either("number", "null")
TRUTH = {"type": "boolean"}
ANY_OBJECT = {"type": "object"}
TITLE = {"type": "string", "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$", "minLength": 1, "maxLength": tasks.LONGEST_TITLE}
TAGS = {"type": "array", "items": INPUT | {"minLength": 1, "maxLength": 100}, "maxItems": 50}
LONG = INPUT | {"maxLength": 65_536}
MAYBE_INPUT = INPUT | {"type": ["string", "null"]}

EVENT = described({"seq": WHOLE, "type": TEXT, "run": WHOLE, "at": NUMBER, "data": ANY_OBJECT})
STREAM = described(
    {
        "name": TEXT,
        "content_type": TEXT,
        "metadata": {"type": "object", "additionalProperties": TEXT},
        "run": WHOLE,
        "length": WHOLE,
        "closed": TRUTH,
        "created": NUMBER,
        "expires": MAYBE_TIME,
        "url": TEXT,
    }
)
TASK: Data = {
    "id": TEXT,
    "name": TEXT,
    "key": TEXT,
    "queue": TEXT,
    "status": {"type": "string", "enum": list(STATUSES)},
    "version": WHOLE,
    "runs": WHOLE | {"description": "Runs that were used up, of `attempts`."},
    "attempts": WHOLE,
    "start": WHOLE | {"description": "The number of the present or last run."},
    "generation": WHOLE,
    "worker": MAYBE_TEXT,
    "cancel": TRUTH | {"description": "Whether its worker was asked to stop it."},
    "payload": ANY_OBJECT | {"description": "Without what is Sensitive."},
    "error": MAYBE_TEXT,
    "result": {},
    "progress": either("object", "null"),
    "created": NUMBER | {"description": "Epoch seconds, as all times."},
    "due": MAYBE_TIME,
    "started": MAYBE_TIME,
    "finished": MAYBE_TIME,
    "links": {"type": "object", "additionalProperties": TEXT},
}
LINE = described(
    {"id": WHOLE, "run": WHOLE, "level": TEXT, "message": TEXT, "fields": {"type": "object", "additionalProperties": TEXT}, "at": NUMBER}
)
SCHEMAS: Data = {
    "NewTask": described({"job": INPUT, "payload": ANY_OBJECT, "delay": NUMBER | {"minimum": 0, "maximum": 366 * 86_400}}, ("delay",)),
    "Requeue": described({"from_start": TRUTH}, ("from_start",)),
    "Handle": described({"id": TEXT, "name": TEXT, "key": TEXT, "created": TRUTH, "url": TEXT}),
    "Task": described(TASK),
    "TaskWithStreams": described({**TASK, "streams": array(ref("Stream"))}),
    "Tasks": described({"tasks": array(ref("Task")), "next": MAYBE_TEXT | {"description": "The next page."}}),
    "Event": EVENT,
    "Stream": STREAM,
    "Log": described({"lines": array(LINE), "after": WHOLE | {"description": "What to ask for next."}}),
    "NewWork": described(
        {
            "title": TITLE,
            "description": LONG,
            "tags": TAGS,
            "job": MAYBE_INPUT,
            "key": MAYBE_INPUT | {"minLength": 1, "maxLength": 512},
        },
        ("description", "tags", "job", "key"),
    ),
    "WorkChange": described(
        {
            "title": {**TITLE, "type": ["string", "null"]},
            "description": {**LONG, "type": ["string", "null"]},
            "tags": {**TAGS, "type": ["array", "null"]},
            "status": {"enum": [*tasks.STATUSES, None]},
        },
        ("title", "description", "tags", "status"),
    ),
    "Work": described(
        {
            "id": TEXT,
            "title": TEXT,
            "description": TEXT,
            "status": {"type": "string", "enum": list(tasks.STATUSES)},
            "job": MAYBE_TEXT,
            "created": NUMBER,
            "updated": NUMBER,
            "tags": array(TEXT),
            "url": TEXT,
        }
    ),
    "Problem": described(
        {"type": TEXT, "title": TEXT, "status": WHOLE, "detail": TEXT, "job": TEXT | {"description": "The first job of a key."}}, ("job",)
    ),
}
PROBLEMS = (400, 401, 404, 406, 408, 409, 413, 415, 416, 422, 429, 503)


def document(routes: Sequence[Described], version: str) -> Data:
    """The document."""
    paths: Data = {}
    for route in routes:
        operation = dict(route.operation)
        path = re.sub(r":\w+}", "}", route.path)
        given = [parameter(name, TEXT | {"minLength": 1}, place="path") for name in re.findall(r"{(\w+)}", path)]
        if given or "parameters" in operation:
            operation["parameters"] = [*given, *operation.get("parameters", [])]
        if route.open:
            operation["security"] = []
        paths.setdefault(path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "guardrails serve",
            "version": version,
            "description": "Queue jobs, follow them, read what they wrote. At-least-once execution, one recorded outcome.",
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": SCHEMAS,
            "responses": {f"Problem{status}": _problem(status) for status in PROBLEMS},
        },
    }


def _problem(status: int) -> Data:
    return {"description": HTTPStatus(status).phrase, "content": content(ref("Problem"), "application/problem+json")}


def route(routes: Sequence[Described], version: str) -> Described:
    """`/openapi.json`, which tells nothing of the application but its webhooks, and needs no key."""
    made: dict[str, Any] = document(routes, version)

    async def openapi(_request: Request) -> Response:
        return JSONResponse(made)

    return Described("GET", "/openapi.json", openapi, open=True)
