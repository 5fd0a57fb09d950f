"""JSON as it is written to files and terminals: indented by two, with a line end, the same bytes for equal values."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


def dumps(value: Any, order: Literal["sorted"] | None = None) -> str:
    """The text of a value; `sorted` puts keys in order, else they stand as they were made."""
    return msgspec.json.format(msgspec.json.encode(value, order=order), indent=2).decode() + "\n"
