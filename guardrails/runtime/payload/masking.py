"""Which places of a payload's JSON are Sensitive, by its type: to show it without them, and to know their values."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from guardrails.runtime.logs.redact import MARK
from guardrails.runtime.payload.anatomy import Part


def masked(part: Part, data: Any) -> Any:
    """The data with `[redacted]` in place of each Sensitive value; an absent value (None) shows as such."""
    return _masked([part], data)


def values(part: Part, data: Any) -> Iterator[str]:
    """The Sensitive values in the data, as text."""
    return _values([part], data, inside=False)


def names(part: Part) -> frozenset[str]:
    """The names of the fields that are Sensitive, at any depth."""
    fields = [field for found in _reached([part], fields=True) for field in found.fields.items()]
    return frozenset(name for name, below in fields if _sensitive(_reached([below], fields=False)))


def holds_sensitive(part: Part, place: tuple[int | str, ...]) -> bool:
    """Whether a place (keys and indices from the top) is Sensitive, is within something that is, or holds it."""
    parts = _variants([part])
    for step in place:
        if _sensitive(parts):
            return True
        parts = _variants(_below(parts, step)) or parts  # pydantic names a union's variant in the place, too
    return _sensitive(_reached(parts, fields=True))


def keys_only(text: str) -> dict[str, Any]:
    """The top keys of a payload that cannot be read, each value hidden; nothing of what is no JSON object."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return dict.fromkeys(data, MARK) if isinstance(data, dict) else {}


def _sensitive(parts: Iterable[Part]) -> bool:
    return any(part.sensitive for part in parts)


def _variants(parts: Iterable[Part]) -> list[Part]:
    """The parts, and what may stand in their place."""
    return _closure(parts, lambda part: part.variants)


def _reached(parts: Iterable[Part], fields: bool) -> list[Part]:
    """The parts with all that they hold; without `fields` only what is in their lists and other holders."""
    return _closure(parts, lambda part: [*part.variants, *part.items, *(part.fields.values() if fields else ())])


def _closure(parts: Iterable[Part], nexts: Callable[[Part], Iterable[Part]]) -> list[Part]:
    found = list(parts)
    seen = {id(part) for part in found}
    for part in found:
        fresh = [following for following in nexts(part) if id(following) not in seen]
        seen.update(map(id, fresh))
        found += fresh
    return found


def _below(parts: Iterable[Part], step: int | str) -> list[Part]:
    """What may stand at a key or an index; a named tuple's fields are found by their places."""
    named = [part.fields[step] for part in parts if isinstance(step, str) and step in part.fields]
    placed = [list(part.fields.values())[step] for part in parts if isinstance(step, int) and step < len(part.fields)]
    return [*named, *placed, *(item for part in parts for item in part.items)]


def _covered(parts: list[Part], data: Any) -> bool:
    """Whether a value is hidden as a whole: it is Sensitive, or a serializer has made one text of what holds something Sensitive."""
    return _sensitive(parts) or (not isinstance(data, dict | list) and _sensitive(_reached(parts, fields=True)))


def _children(parts: list[Part], data: Any) -> Iterator[tuple[int | str, Any, list[Part]]]:
    """Each key or index with its value and its parts; a key that no type names may be anything that they hold."""
    items: Iterable[tuple[int | str, Any]] = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, item in items:
        yield step, item, _variants(_below(parts, step)) or _reached(parts, fields=True)


def _masked(parts: list[Part], data: Any) -> Any:
    parts = _variants(parts)
    if data is not None and _covered(parts, data):
        return MARK
    shown = {step: _masked(below, item) for step, item, below in _children(parts, data)}
    if isinstance(data, dict):
        return shown
    return list(shown.values()) if isinstance(data, list) else data


def _values(parts: list[Part], data: Any, inside: bool) -> Iterator[str]:
    parts = _variants(parts)
    inside = inside or _covered(parts, data)
    for _, item, below in _children(parts, data):
        yield from _values(below, item, inside)
    if inside and isinstance(data, str | int | float) and not isinstance(data, bool):
        yield str(data)
