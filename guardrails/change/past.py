"""What is new in a run: not held by a baseline, nor by the base of a change."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from guardrails import baseline
from guardrails.baseline import Baseline
from guardrails.change import Before, touched
from guardrails.facts import Fact
from guardrails.files import Tree
from guardrails.result import Found, State


class Compared(msgspec.Struct, frozen=True):
    """Findings by whether they are new, each with its state; `stale` says in words what a baseline holds and nothing matches."""

    new: tuple[Found, ...]
    known: tuple[Found, ...]
    stale: tuple[str, ...]


class Past:
    """What a run is compared with: a baseline, what the base of a change has, both or neither. `facts` are those of the change."""

    def __init__(
        self, adopted: Baseline | None = None, held: Baseline | None = None, change: Before | None = None, facts: Sequence[Fact] = ()
    ) -> None:
        self._adopted, self._held = adopted, held
        self.change, self.facts = change, tuple(facts)

    @property
    def name(self) -> str:
        """What the run is compared with, in words; "" for nothing."""
        names = ["the baseline"] if self._adopted is not None else []
        return " and ".join([*names, self.change.name] if self.change is not None else names)

    def split(self, findings: Sequence[Found], tree: Tree, rules: Collection[str]) -> Compared:
        """The findings of a run, of these rules, by whether they are new."""
        new, known, stale = tuple(findings), tuple[Found, ...](), tuple[str, ...]()
        exists = frozenset((*tree.paths, *tree.others, *tree.instructions)).__contains__
        if self._held is not None and self.change is not None:
            change = self.change
            lines = {one.spot.path: touched(change, tree, one.spot.path) for one in new}
            split = self._held.split(new, first=lambda one: _is_touched(one, lines[one.spot.path]), exists=exists)
            new, known = split.new, split.known
        if self._adopted is not None:
            split = self._adopted.split((*new, *known), exists=exists)
            whole = tree.scope >= set(tree.paths) and not tree.partial
            looked_at = tree.scope | set(tree.instructions)
            stale = tuple(map(_told, baseline.judged(split.stale, looked_at, whole, rules)))
            marks = {id(one) for one in split.new}
            known = (*known, *(one for one in new if id(one) not in marks))
            new = tuple(one for one in new if id(one) in marks)
        state: State = "new" if self._adopted is not None or self._held is not None else ""
        return Compared(
            tuple(msgspec.structs.replace(one, state=state) for one in new),
            tuple(msgspec.structs.replace(one, state="unchanged") for one in known),
            stale,
        )

    def source(self, path: str) -> bytes:
        """The bytes of a file that the change takes away; empty for any other."""
        return self.change.tree.load(path) if self.change is not None and path in self.change.gone else b""


def _is_touched(found: Found, lines: Collection[int]) -> bool:
    return any(line in lines for line in range(found.spot.line, found.spot.end_line + 1))


def _told(entry: baseline.Entry) -> str:
    where = f" in {entry.scope}" if entry.scope else ""
    return f"{entry.path}: {entry.rule}{where}{entry.times}"
