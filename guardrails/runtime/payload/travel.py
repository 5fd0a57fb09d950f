"""What a payload's values may be: a walk over the values themselves, also those in `Any` fields, before anything is written."""

import dataclasses
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from guardrails.runtime.errors import PayloadRefused
from guardrails.runtime.payload.rows import is_secret, row_kind

_PLAIN = frozenset({str, int, bool, bytes, type(None), date})


def members(value: object) -> dict[str, Any] | None:
    """The fields of a model or a dataclass that are written, by name; None for any other value."""
    if isinstance(value, BaseModel):
        named = {name: getattr(value, name, None) for name, found in type(value).model_fields.items() if not found.exclude}
        return named | (value.__pydantic_extra__ or {})
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {found.name: getattr(value, found.name, None) for found in dataclasses.fields(value)}
    return None


def refuse(value: object, where: str) -> None:
    """Raise PayloadRefused, with the path, for the first value that must not travel, such as a row or a secret."""
    try:
        _refuse(value, where, ())
    except RecursionError:
        raise PayloadRefused(f"{where} is nested too deep for JSON: send ids in place of objects.") from None


def _refuse(value: object, where: str, within: tuple[int, ...]) -> None:
    if fault := _fault(value):
        raise PayloadRefused(f"{where} {fault}.")
    if id(value) in within:
        raise PayloadRefused(f"{where} holds itself, so it has no end: send ids in place of objects.")
    for step, item in _inside(value):
        if type(item) not in _PLAIN:
            _refuse(item, f"{where}{step}", (*within, id(value)))


def _fault(value: object) -> str:
    kind: type = type(value)
    if is_secret(kind):
        return f"is a {kind.__name__}, and secrets do not travel: queue SecretRef('name') and call its resolve() in the job"
    if row := row_kind(kind):
        return f"is {row} ({kind.__name__}), and rows do not travel: send its id and load it in the job"
    if (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, Decimal) and not value.is_finite()):
        return f"is {value}, which JSON cannot hold: send a finite number or None"
    if isinstance(value, datetime) and value.utcoffset() is None:
        return "is a datetime without a time zone, which means another moment on another machine: give it one, such as datetime.now(UTC)"
    if isinstance(value, Iterator):
        return f"is a {kind.__name__}, which is used up when it is read once: send a list"
    return ""


def _inside(value: object) -> Iterator[tuple[str, object]]:
    named = members(value)
    if named is not None:
        yield from ((f".{name}", item) for name, item in named.items())
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from ((" (a key of it)", key), (f"[{_short(key)}]", item))
    elif isinstance(value, list | tuple | Set | deque):
        items: Iterable[object] = value
        yield from ((f"[{at}]", item) for at, item in enumerate(items))


def _short(key: object) -> str:
    return repr(key) if isinstance(key, str | int) and len(str(key)) <= 40 else type(key).__name__
