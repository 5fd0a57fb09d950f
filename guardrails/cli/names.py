"""Rule names as a user writes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from guardrails.cli.program import Mistake
from guardrails.config import near


def known(name: str, rules: Collection[str]) -> str:
    """The name, if there is such a rule."""
    if name in rules:
        return name
    raise Mistake(f"there is no rule {name!r}; {near(name, rules)}")


def listed(values: Iterable[str], rules: Collection[str]) -> tuple[str, ...]:
    """The names of a repeatable option whose values may be comma lists."""
    names = (name.strip() for value in values for name in value.split(","))
    return tuple(dict.fromkeys(known(name, rules) for name in names if name))
