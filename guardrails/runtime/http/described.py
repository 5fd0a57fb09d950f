"""Routes with what the OpenAPI document says of them, side by side, so that neither is without the other."""

from dataclasses import dataclass, field
from typing import Any

from guardrails.runtime.http.auth import Endpoint

Data = dict[str, Any]
FRAME: Data = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}
"""A server-sent event."""
INPUT: Data = {"type": "string", "pattern": r"^[^\x00]*$"}
"""A text that is sent to us: without NUL, which no database keeps."""


@dataclass(frozen=True, slots=True)
class Described:
    """A route: its path, method and endpoint, and its OpenAPI operation. `open`: it needs no key."""

    method: str
    path: str
    endpoint: Endpoint
    operation: Data = field(default_factory=dict)
    open: bool = False


def ref(name: str) -> Data:
    """A schema of the document by name."""
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Data, kind: str = "application/json") -> Data:
    """A body of a kind."""
    return {kind: {"schema": schema}}


def answer(description: str, schema: Data | None = None, headers: Data | None = None, kind: str = "application/json") -> Data:
    """A response."""
    made: Data = {"description": description}
    if schema is not None:
        made["content"] = content(schema, kind)
    if headers:
        made["headers"] = {name: {"schema": of, "required": True} for name, of in headers.items()}
    return made


def parameter(name: str, schema: Data, description: str = "", place: str = "query") -> Data:
    """A parameter; those of the path are required."""
    return {"name": name, "in": place, "schema": schema, "description": description, "required": place == "path"}


def problems(*statuses: int) -> Data:
    """Responses that are problems."""
    return {str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in statuses}


def array(items: Data) -> Data:
    """A list of."""
    return {"type": "array", "items": items}


def either(*kinds: str) -> Data:
    """One of several JSON types."""
    return {"type": list(kinds)}


def described(fields: Data, optional: tuple[str, ...] = (), closed: bool = True) -> Data:
    """An object whose fields are all there but the optional ones."""
    return {
        "type": "object",
        "properties": fields,
        "required": [name for name in fields if name not in optional],
        "additionalProperties": not closed,
    }
