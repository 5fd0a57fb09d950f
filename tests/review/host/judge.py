"""Judges every call and every reply: by GitHub's own description with openapi-core, and by what that cannot say."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from openapi_core import Config, OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers, ImmutableMultiDict

from . import graph
from .shapes import description
from .wire import Call, Reply

HOST = "https://api.github.com"
# GitHub answers null for these where a comment is outdated or on the file, though its description says integer.
NULLED = {"pull-request-review-comment": "position line original_line", "review-comment": "line original_line"}
JSON = "application/json"
LONG = 300
CONTENTS = "/repos/{owner}/{repo}/contents/{path}"
SAME = re.compile(rb"(?<=127\.0\.0\.1:)\d+|(?<=\")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?=\")")  # ports and times: judged once is enough
WRONG_STATUS = {401, 403, 404, 422, 429}  # answered by every operation, described for some


@dataclass
class Asked:
    """A call as openapi-core wants to see it."""

    method: str
    path: str
    parameters: RequestParameters
    body: bytes | None
    content_type: str = JSON
    host_url: str = HOST


@dataclass(frozen=True)
class Answered:
    """A reply as openapi-core wants to see it."""

    status_code: int
    data: bytes
    headers: dict[str, str]
    content_type: str = JSON


@lru_cache(maxsize=1)
def openapi() -> OpenAPI:
    """The judge, loaded once; that the description is a right one is a test of its own."""
    unchecked: Any = None  # what openapi-core's documentation says, and its annotation does not
    return OpenAPI.from_dict(corrected(), config=Config(spec_validator_cls=unchecked))


def corrected() -> dict[str, Any]:
    """GitHub's description with the corrections above."""
    made = copy.deepcopy(description())
    for name, properties in NULLED.items():
        for one in properties.split():
            made["components"]["schemas"][name]["properties"][one]["nullable"] = True
    for name in ("pull-request", "pull-request-simple"):  # null once the fork was deleted
        made["components"]["schemas"][name]["properties"]["head"]["properties"]["repo"] = {
            "$ref": "#/components/schemas/nullable-repository"
        }
    _null_in_enums(made)
    del made["paths"][CONTENTS]["get"]["responses"]["200"]["content"][JSON]["schema"]["discriminator"]  # a folder is a list: it has no type
    return made


def _null_in_enums(value: Any) -> None:
    """OpenAPI 3.0 says nullable beside an enum; JSON schema wants the null among its values."""
    if isinstance(value, dict) and value.get("nullable") is True and isinstance(value.get("enum"), list) and None not in value["enum"]:
        value["enum"].append(None)
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _null_in_enums(one)


_seen: dict[tuple[object, ...], list[str]] = {}


def judged(call: Call) -> list[str]:
    """Everything that GitHub's description says against a call and its reply."""
    if call.template == "/graphql":
        return [f"GraphQL: {one}" for one in graph.complaints(call.json.get("query", ""))]
    reply = None if call.fault else call.reply
    said = (reply.status, SAME.sub(b"", reply.body)) if reply else None
    key = (call.method, call.path, call.template, tuple(sorted(call.query.items())), call.raw, said)
    if key not in _seen:
        _seen[key] = [*request_faults(call), *(reply_faults(call, reply) if reply else [])]
    return _seen[key]


def asked(call: Call) -> Asked:
    path = re.sub(r"\{(\w+)\}", lambda found: quote(call.names[found[1]] or "-", safe=""), call.template)
    headers = Headers([(name, value) for name, value in call.headers.items() if name != "accept"])
    parameters = RequestParameters(ImmutableMultiDict(call.query), headers, ImmutableMultiDict(), {})
    return Asked(call.method.lower(), path, parameters, call.raw or None, call.headers.get("content-type", JSON).lower())


def request_faults(call: Call) -> list[str]:
    """Against the description: parameters and body; words that it does not know are mistakes too."""
    try:
        openapi().validate_request(asked(call))
    except OpenAPIError as bad:
        return [f"request: {reasons(bad)}"]
    return [f"request: {one}" for one in unknown(call)]


def unknown(call: Call) -> list[str]:
    """Names in query and body that GitHub's description does not have; GitHub itself passes over some in silence."""
    operation = description()["paths"][call.template][call.method.lower()]
    known = {resolved(one)["name"] for one in operation.get("parameters", []) if resolved(one)["in"] == "query"}
    made = [f"unknown parameter {name!r}" for name in call.query if name not in known]
    schema = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
    if call.raw and schema is None:
        return [*made, "a body where none belongs"]
    return made + ([f"unknown {name!r} in the body" for name in strangers(call.json, schema)] if schema else [])


def strangers(value: Any, schema: dict[str, Any]) -> list[str]:
    """Keys that no part of a schema knows."""
    schema = resolved(schema)
    if isinstance(value, list):
        return [name for one in value for name in strangers(one, schema.get("items", {}))]
    options = [resolved(one) for word in ("oneOf", "anyOf", "allOf") for one in schema.get(word, [])]
    properties = {name: one for option in [*options, schema] for name, one in option.get("properties", {}).items()}
    if not isinstance(value, dict) or not properties or schema.get("additionalProperties") not in (None, False):
        return []
    inner = [f"{name}.{word}" for name, one in value.items() if name in properties for word in strangers(one, properties[name])]
    return [name for name in value if name not in properties] + inner


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` stands for."""
    while "$ref" in value:
        _, _, kind, name = value["$ref"].split("/")
        value = description()["components"][kind][name]
    return value


def reply_faults(call: Call, reply: Reply) -> list[str]:
    """Against the description: status, headers and body of what the fake said."""
    responses = description()["paths"][call.template][call.method.lower()]["responses"]
    if str(reply.status) not in responses and reply.status in WRONG_STATUS:
        return [] if isinstance(reply.data, dict) and isinstance(reply.data.get("message"), str) else ["reply: an error without a message"]
    if not reply.kind.startswith("application/json"):
        return []  # a diff or raw content: the description has no schema for them
    try:
        openapi().validate_response(asked(call), Answered(reply.status, reply.body, {}, content_type(responses, reply)))
    except OpenAPIError as bad:
        return [f"reply (a mistake of the fake): {reply.status} {reasons(bad)}"]
    return []


def content_type(responses: dict[str, Any], reply: Reply) -> str:
    """The name under which the description has the JSON: sometimes only one of GitHub's own media types."""
    known = resolved(responses.get(str(reply.status), {})).get("content", {})
    return JSON if JSON in known or not known else str(next(iter(known)))


def reasons(bad: BaseException) -> str:
    """The deepest words of an error of openapi-core, without the values that it prints whole."""
    words = []
    inner: BaseException | None = bad
    while inner is not None:
        errors = list(getattr(inner, "schema_errors", ()))
        words += [f"{'/'.join(str(part) for part in one.absolute_path) or 'body'}: {_short(one.message)}" for one in errors]
        inner = inner.__cause__
    return "; ".join(words) or _short(str(bad))


def _short(text: str) -> str:
    return text if len(text) <= LONG else f"{text[: LONG // 2]} ... {text[-LONG // 2 :]}"
