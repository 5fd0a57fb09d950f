"""Regular expressions of models that a text can make run for ever: such a one is refused before it meets a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

_PARSER: Any = import_module("re._parser")  # how `re` itself reads an expression
_MANY = 16  # times from which a repeat counts as one without end
_REPEATS = 2  # such repeats in one expression
_LONGEST = 1000


def danger(pattern: str) -> str:
    """Why an expression may take time beyond measure, in words; "" for a sound one. Raises re.error for what is none."""
    re.compile(pattern)
    if len(pattern) > _LONGEST:
        return f"it is longer than {_LONGEST} characters"
    found = list(_repeats(_PARSER.parse(pattern), 0))
    if any(depth for depth, _ in found):
        return "it repeats what repeats"
    if any(choice for _, choice in found):
        return "it repeats a choice"
    return f"it has more than {_REPEATS} repeats without end" if len(found) > _REPEATS else ""


def _repeats(tree: Any, depth: int) -> Iterator[tuple[int, bool]]:
    """Each repeat without end: how many such repeats are around it, and whether a choice of several characters is in it."""
    for name, argument in tree:
        word = str(name)
        if word in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            _, most, inner = argument
            endless = most >= _MANY
            if endless:
                yield depth, _has_choice(inner)
            yield from _repeats(inner, depth + endless)
        else:
            for inner in _inside(argument):
                yield from _repeats(inner, depth)


def _has_choice(tree: Any) -> bool:
    return any(str(name) == "BRANCH" or any(map(_has_choice, _inside(argument))) for name, argument in tree)


def _inside(argument: Any) -> Iterator[Any]:
    """The expressions inside a group, a choice or a look around."""
    for one in argument if isinstance(argument, tuple | list) else ():
        if isinstance(one, _PARSER.SubPattern):
            yield one
        elif isinstance(one, list):
            yield from (inner for inner in one if isinstance(inner, _PARSER.SubPattern))
