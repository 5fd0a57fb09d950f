"""Which places of a payload's JSON are Sensitive, by its type: to show it without them, and to know their values."""

import json
from collections.abc import Iterator
from typing import Any

from guardrails.runtime.payload.anatomy import Part
from guardrails.runtime.redact import MARK


def masked(part: Part, data: Any) -> Any:
    """The data with `[redacted]` in place of each Sensitive value; an absent value (None) shows as such."""
    return _masked([part], data)


def values(part: Part, data: Any) -> Iterator[str]:
    """The Sensitive values in the data, as text."""
    return _values([part], data)


def names(part: Part) -> frozenset[str]:
    """The names of the fields that are Sensitive, at any depth."""
    found: set[str] = set()
    seen: list[Part] = []
    waiting = [part]
    while waiting:
        here = waiting.pop()
        if not any(here is known for known in seen):
            seen.append(here)
            waiting += [*here.fields.values(), *here.items, *here.variants]
            found.update(name for name, below in here.fields.items() if any(inner.sensitive for inner in _all([below])))
    return frozenset(found)


def holds_sensitive(part: Part, place: tuple[int | str, ...]) -> bool:
    """Whether a place (keys and indices from the top) is Sensitive, is within something that is, or holds it."""
    parts = _all([part])
    for step in place:
        below = _below(parts, step)
        if any(found.sensitive for found in parts):
            return True
        parts = _all(below) if below else parts  # pydantic names a union's variant in the place, too
    return any(found.sensitive for found in parts) or any(names(found) for found in parts)


def keys_only(text: str) -> dict[str, Any]:
    """The top keys of a payload that cannot be read, each value hidden; nothing of what is no JSON object."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return dict.fromkeys(data, MARK) if isinstance(data, dict) else {}


def _all(parts: list[Part]) -> list[Part]:
    """The parts and the variants behind them."""
    found: list[Part] = []
    waiting = list(parts)
    while waiting:
        part = waiting.pop()
        if not any(part is seen for seen in found):
            found.append(part)
            waiting += part.variants
    return found


def _below(parts: list[Part], step: int | str) -> list[Part]:
    named = [part.fields[step] for part in parts if isinstance(step, str) and step in part.fields]
    positioned = [list(part.fields.values())[step] for part in parts if isinstance(step, int) and step < len(part.fields)]
    return [*named, *positioned, *(item for part in parts for item in part.items)]


def _children(data: Any) -> Iterator[tuple[int | str, Any]]:
    if isinstance(data, dict):
        yield from data.items()
    elif isinstance(data, list):
        yield from enumerate(data)


def _masked(parts: list[Part], data: Any) -> Any:
    parts = _all(parts)
    if data is not None and any(part.sensitive for part in parts):
        return MARK
    shown = {step: _masked(_below(parts, step), item) for step, item in _children(data)}
    if isinstance(data, dict):
        return shown
    return list(shown.values()) if isinstance(data, list) else data


def _values(parts: list[Part], data: Any, inside: bool = False) -> Iterator[str]:
    parts = _all(parts)
    inside = inside or any(part.sensitive for part in parts)
    for step, item in _children(data):
        yield from _values(_below(parts, step), item, inside)
    if inside and isinstance(data, str | int | float) and not isinstance(data, bool):
        yield str(data)
