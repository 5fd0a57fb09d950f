"""Hook files of clients: our entry is merged into the JSON that is there, as text, so that the rest keeps every byte.

What we add can be told from what was there: a list or object that we made has white space behind its bracket, one that was there,
empty, has our entry directly behind it. A file that we made ends in one line end, in `1 + N` where the first N folders of its path
were there, empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from guardrails.instruct.text import line_end

_OURS = re.compile(r"(?<![\w-])(?:worker-)?guardrails(?:\.exe)?[\"']?\s+hook(?![\w-])")
_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
MOST, DEEPEST = 200, 100
BESIDE = {"version": 1}


class Unfit(Exception):
    """A file that our entry cannot be merged into; the message says why."""


class Item(msgspec.Struct, frozen=True):
    """A member or element in a text: from `start` (of the key, if there is one) to `stop`; `value` is where its value starts."""

    key: str
    start: int
    value: int
    stop: int


def is_ours(value: Any) -> bool:
    """Whether a JSON value is, or holds, a hook of ours: a string that calls `guardrails hook`."""
    return any(calls_us(one) for one in _strings(value))


def calls_us(text: str) -> bool:
    """Whether a text, be it JSON or not, calls `guardrails hook`."""
    return bool(_OURS.search(text))


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()


def parse(text: str) -> dict[str, Any]:
    """The object that a file holds. Raises `Unfit`."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise Unfit(f"it is no valid JSON (line {error.lineno}: {error.msg.lower()})") from None
    except (ValueError, RecursionError):
        raise Unfit("it is no valid JSON") from None
    if not isinstance(value, dict):
        raise Unfit("it holds no JSON object")
    if _is_deep(value):
        raise Unfit("it is nested too deeply")
    return value


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level if isinstance(one, dict | list) for inner in (one.values() if isinstance(one, dict) else one)]
    return bool(level)


def _refuse(name: str) -> Any:
    raise ValueError(name)


def put(old: str | None, body: str, keep: int = 0) -> str:
    """The file with our entries as they shall be; unchanged where they are. Raises `Unfit`."""
    wanted = parse(body)
    if old is None:
        return _created(wanted, keep)
    value = parse(old)
    if _holds(value, wanted) and _count(value) == _count(wanted):
        return old
    rest = take(old)
    return _created(wanted, kept(old)) if rest is None else _merged(rest, wanted)


def is_alike(text: str, body: str) -> bool:
    """Whether our entries are as they shall be, wherever guardrails is installed that they call. Raises `Unfit`."""
    value, wanted = _placeless(parse(text)), _placeless(parse(body))
    return _holds(value, wanted) and _count(value) == _count(wanted)


def _placeless(value: Any) -> Any:
    """A value in which commands of ours begin at the name of the program."""
    if isinstance(value, dict):
        return {key: _placeless(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_placeless(one) for one in value]
    called = _OURS.search(value) if isinstance(value, str) else None
    return value[called.start() :] if called is not None else value


def _created(wanted: dict[str, Any], keep: int) -> str:
    """A file of ours; entries first, so that what a user had in it before is never mistaken for it."""
    ordered = dict(sorted(wanted.items(), key=lambda item: not isinstance(item[1], dict | list)))
    return json.dumps(ordered, indent=2, ensure_ascii=False) + "\n" * (1 + keep)


def kept(text: str) -> int:
    """How many folders of the path of a file that we made were there before."""
    return max(0, text[len(text.rstrip()) :].count("\n") - 1)


def _holds(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(_holds(value.get(key), wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(value, list) and [one for one in value if is_ours(one)] == wanted
    return value is None or bool(value == wanted)


def _count(value: Any) -> int:
    return sum(1 for one in _strings(value) if calls_us(one))


def _merged(text: str, wanted: dict[str, Any]) -> str:
    """The text with what is wanted behind what is there."""
    start = _skip(text, 0)
    if not _items(text, start):
        return _filled(text, start, wanted)
    for key, value in wanted.items():
        text = _member(text, _skip(text, 0), key, value)
    return text


def _filled(text: str, start: int, wanted: dict[str, Any]) -> str:
    """An empty object gets everything, directly behind its bracket."""
    ordered = sorted(wanted.items(), key=lambda item: not isinstance(item[1], dict | list))
    members = ", ".join(f"{json.dumps(key)}: {_flat(value)}" for key, value in ordered)
    return text[: start + 1] + members + text[start + 1 :]


def _member(text: str, start: int, key: str, value: Any) -> str:
    """The text with a member of the object at `start` as it is wanted; a number or word is compared, not written."""
    items = _items(text, start)
    same = [item for item in items if item.key == key]
    if len(same) > 1:
        raise Unfit(f"it has {json.dumps(key)} twice")
    if not isinstance(value, dict | list):
        if same and json.loads(text[same[0].value : same[0].stop]) != value:
            raise Unfit(f"its {json.dumps(key)} is not {json.dumps(value)}")
        return text
    if not same:
        return _append(text, start, items, f"{json.dumps(key)}: ", value)
    at = same[0].value
    if text[at] != ("{" if isinstance(value, dict) else "["):
        raise Unfit(f"its {json.dumps(key)} is no {'object' if isinstance(value, dict) else 'list'}")
    if isinstance(value, dict):
        for name, inner in value.items():
            text = _member(text, at, name, inner)
        return text
    for element in value:
        text = _append(text, at, _items(text, at), "", element)
    return text


def _append(text: str, start: int, items: list[Item], lead: str, value: Any) -> str:
    """One more member or element, set as its neighbours are."""
    if not items:
        return text[: start + 1] + lead + _flat(value) + text[start + 1 :]
    gap = text[start + 1 : items[0].start]
    if "\n" not in gap:
        return text[: items[-1].stop] + ", " + lead + _flat(value) + text[items[-1].stop :]
    indent = gap.rpartition("\n")[2]
    lines = json.dumps(value, indent=_unit(text), ensure_ascii=False).replace("\n", line_end(gap) + indent)
    return text[: items[-1].stop] + "," + line_end(gap) + indent + lead + lines + text[items[-1].stop :]


def _unit(text: str) -> str:
    """What a file indents its first members by."""
    start = _skip(text, 0) + 1
    return text[start : _skip(text, start)].rpartition("\n")[2] or "  "


def _flat(value: Any) -> str:
    """A value on one line, with a blank inside each bracket."""
    return re.sub(r"\n *", " ", json.dumps(value, indent=1, ensure_ascii=False))


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _items(text: str, start: int) -> list[Item]:
    """The members or elements of the object or list at `start`, of a text that is valid JSON."""
    items = []
    at = _skip(text, start + 1)
    while text[at] not in "}]":
        key, first = "", at
        if text[start] == "{":
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        stop = _DECODER.raw_decode(text, at)[1]
        items.append(Item(key, first, at, stop))
        at = _skip(text, stop)
        at = _skip(text, at + 1) if text[at] == "," else at
    return items


def take(text: str) -> str | None:
    """The text without our entries, and without what was made for them; None where that is all of the file. Raises `Unfit`."""
    parse(text)
    for _ in range(MOST):
        start = _skip(text, 0)
        found = _entry(text, start)
        if not found:
            return text
        shorter = _cut(text, found)
        if shorter is None:
            return None
        text = shorter
    raise Unfit("it holds too many hooks of guardrails")


def _entry(text: str, start: int) -> list[tuple[int, int]]:
    """The way to an innermost object or string of ours: (where a container starts, which item of it), from the outermost."""
    way: list[tuple[int, int]] = []
    while text[start] in "{[":
        items = _items(text, start)
        ours = (index for index, item in enumerate(items) if is_ours(json.loads(text[item.value : item.stop])))
        index = next(ours, None)
        if index is None:
            break
        if text[start] == "{" and text[items[index].value] not in "{[":
            return way
        way.append((start, index))
        start = items[index].value
    return way


def _cut(text: str, way: list[tuple[int, int]]) -> str | None:
    """The text without the item at the end of the way, and without each container that it alone was in and that we made."""
    for depth in range(len(way) - 1, -1, -1):
        start, index = way[depth]
        items = _items(text, start)
        others = [item for item in items if item is not items[index]]
        if text[start] == "{" and depth and text[way[depth - 1][0]] == "[":
            if all(text[item.value] not in "{[" for item in others):
                continue  # the entry itself: what else it says (a matcher) belongs to it
        elif index == 0 and all(_is_beside(text, item) for item in others):
            if not text[start + 1].isspace():
                return text[: items[0].start] + text[items[-1].stop :]
            continue
        if index:
            return text[: items[index - 1].stop] + text[items[index].stop :]
        return text[: items[0].start] + text[items[1].start :]
    return None


def _is_beside(text: str, item: Item) -> bool:
    """Whether a member is no more than what a client wants to stand beside its hooks."""
    return bool(item.key) and BESIDE.get(item.key) == json.loads(text[item.value : item.stop])
