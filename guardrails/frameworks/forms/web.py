"""What answers HTTP requests."""

from __future__ import annotations

import msgspec


class HandlerForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What answers HTTP requests."""

    decorator: str = ""
    base: str = ""  # classes derived from it; `methods` maps method names to HTTP methods
    call: str = ""
    function: str = "0"  # selector; `callables`: every function among the arguments
    exported: bool = False  # exported functions named by the HTTP method, in files that match `file`
    file: str = ""  # a regular expression on the path
    parameter: tuple[str, ...] = ()  # annotations that only handlers have
    route: str = ""  # selector of the path
    verbs: str = ""  # selector of the HTTP methods; else the last word of the symbol
    methods: dict[str, str] = {}
    default: tuple[str, ...] = ()  # HTTP methods when nobody says


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that gives its receiver an attribute: `app.decorate("queues", {..})`."""

    call: str
    name: str = "0"
    value: str = "1"
