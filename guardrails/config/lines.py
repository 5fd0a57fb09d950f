"""Where a value of the configuration stands: YAML says it, TOML has to be searched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias

Path_: TypeAlias = tuple[str | int, ...]  # keys and indices that lead to a value


class Lines(Protocol):
    """Where a value stands."""

    def line(self, path: Path_) -> int:
        """The line (from 1) of a value by its path of keys and indices."""


class YamlLines:
    """Lines of a YAML document, by its composed nodes."""

    def __init__(self, node: Any) -> None:
        self.node = node

    def line(self, path: Path_) -> int:
        """The line (from 1) of a value."""
        node, line = self.node, 0
        for step in path:
            pairs = getattr(node, "value", None)
            if not isinstance(pairs, list):
                break
            if isinstance(step, int):
                node = pairs[step] if step < len(pairs) else None
                line = node.start_mark.line if node is not None else line
                continue
            found = [(key, value) for key, value in (pair for pair in pairs if isinstance(pair, tuple)) if key.value == step]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        return int(line) + 1


class TomlLines:
    """tomllib tells no lines: the headings and keys are looked for again, in order; each step narrows where the next may stand."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")

    def line(self, path: Path_) -> int:
        """The line (from 1) of a value."""
        at = self._table(("tool", "guardrails"), 0) or self._word("guardrails", 0)
        for index, step in enumerate(path):
            if isinstance(step, int):
                at = self._item(path[:index], step, at)
            else:
                table = self._table(("tool", "guardrails", *(s for s in path[: index + 1] if isinstance(s, str))), at)
                at = table if table > at or self._is_heading(at, step) else self._word(step, at)
        return at + 1

    def _headings(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        for index, line in enumerate(self.lines):
            if match := re.match(r"\s*\[{1,2}([^\[\]]+)\]", line):
                yield index, tuple(part.strip().strip("\"'") for part in match[1].split("."))

    def _table(self, name: tuple[str, ...], at: int) -> int:
        return next((index for index, parts in self._headings() if index >= at and parts == name), at)

    def _is_heading(self, at: int, step: str) -> bool:
        return any(index == at and parts[-1] == step for index, parts in self._headings())

    def _item(self, path: Path_, number: int, at: int) -> int:
        name = ("tool", "guardrails", *(step for step in path if isinstance(step, str)))
        tables = [index for index, parts in self._headings() if parts == name]
        return tables[number] if number < len(tables) else at

    def _word(self, word: str, at: int) -> int:
        whole = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
        return next((index for index in range(at, len(self.lines)) if whole.search(self.lines[index].split(" #")[0])), at)
