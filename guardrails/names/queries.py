"""Paths that query rows, and those of them that give one: `Order.objects.filter().first()`."""

from __future__ import annotations

import re
from collections.abc import Iterable


class Queries:
    """Reads access paths by the names of managers, and of their methods that give one row or rows."""

    def __init__(self, managers: Iterable[str] = (), one: Iterable[str] = (), many: Iterable[str] = ()) -> None:
        self._managers = frozenset(managers)
        start = rf"(?:^|\.)(?:(?:{_any(self._managers)})|\w*(?:Manager|QuerySet)\(\))"
        self._starts = re.compile(rf"{start}(?=\.|$)")
        self._row = re.compile(rf"{start}(?:\.(?:{_any(many)})\(\))*(?:\.(?:{_any(one)})\(\)(?:\[0\])?|\[\*\]|\[0\])$")

    def is_manager(self, name: str) -> bool:
        """The attribute of a class from which its rows are asked."""
        return name in self._managers

    def is_query(self, path: str) -> bool:
        """The path asks for rows."""
        return self._starts.search(path) is not None

    def gives_row(self, path: str) -> bool:
        """The path ends at one row."""
        return self._row.search(path) is not None


def _any(names: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(names))) or "(?!)"
