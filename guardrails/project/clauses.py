"""Except clauses: which try they belong to, what they catch, and which calls stand where."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from guardrails.facts.failure import Breadth
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Block, Expr, Function, Group, Literal_, Op, Ref, Site, Step, dotted, enclosing, is_within, walk

_FLAG = re.compile(r"(?i:(?:^|[._])(?:debug|testing(?:$|\.)|test_mode(?:$|\.)))|(?:^|\.)(?:IS_|IN_)?TEST(?:$|\.)")
_ALL, _BROAD = frozenset(("BaseException",)), frozenset(("Exception", "StandardError"))


class Clause(msgspec.Struct, frozen=True):
    """An except clause of a function: its own block, its try's, and the step that says what it catches."""

    home: Home
    block: int
    tries: int
    catch: Step

    @property
    def name(self) -> str:
        """The name that the exception is bound to, "" for none."""
        return dotted(self.catch.targets[0]) if self.catch.targets else ""


def clauses(home: Home, function: Function) -> Iterator[Clause]:
    """The except clauses of a function, in order."""
    tried: dict[int, int] = {}
    for index, block in enumerate(function.blocks):
        if block.kind == "try":
            tried[block.parent] = index
        elif block.kind == "except" and block.parent in tried and block.opened_by >= 0:
            yield Clause(home, index, tried[block.parent], function.steps[block.opened_by])


def beside(found: list[Clause], clause: Clause) -> Iterator[Clause]:
    """The clauses of the same try that come before one."""
    return (one for one in found if one.tries == clause.tries and one.block < clause.block)


def steps_in(function: Function, block: int) -> list[Step]:
    """The steps of a block and of the blocks in it."""
    return [step for step in function.steps if is_within(function, step.block, block)]


def sites_in(function: Function, block: int) -> list[Site]:
    """The calls of a block and of the blocks in it."""
    return [site for site in function.sites if is_within(function, function.steps[site.step].block, block)]


def is_looped(function: Function, block: int) -> bool:
    """The block stands in a loop of its function."""
    return any(one.kind == "loop" for one in enclosing(function, block))


def is_endless(function: Function, block: int) -> bool:
    """The block is a loop that no counter and no condition on its data ends: `while True`, `while not self.stopped`."""
    one = function.blocks[block]
    if one.kind != "loop" or one.opened_by < 0 or function.steps[one.opened_by].kind != "test":
        return False
    test = function.steps[one.opened_by].value
    while test is not None and getattr(test, "op", "") == "not":
        test = test.parts[0]  # type: ignore[union-attr]
    if isinstance(test, Literal_):
        return bool(test.value)
    return test is not None and bool(dotted(test))


class Caught:
    """Says what clauses catch."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def symbols(self, clause: Clause) -> list[str]:
        """The symbols that a clause names; none for a bare one."""
        return [self._symbol(clause.home, one) for one in self._named(clause.home, clause.catch.value, 0)]

    def breadth(self, clause: Clause) -> Breadth:
        """Everything, every `Exception`, or something narrower."""
        if clause.catch.value is None:
            return "all"
        symbols = set(self.symbols(clause))
        return "all" if symbols & _ALL else "broad" if symbols & _BROAD else "narrow"

    def words(self, clause: Clause) -> str:
        """What is caught, in words."""
        value = clause.catch.value
        if value is None:
            return "everything"
        return f"`{self._resolver.text(clause.home.file, value.start, value.end)}`"

    def _named(self, home: Home, value: Expr | None, depth: int) -> Iterator[Expr]:
        if isinstance(value, Group):
            for item in value.items:
                yield from self._named(home, item, depth)
        elif isinstance(value, Ref) and depth < 1 and (made := self._tuple(home, value)) is not None:
            yield from self._named(home, made, depth + 1)
        elif value is not None:
            yield value

    def _tuple(self, home: Home, ref: Ref) -> Group | None:
        if ref.name in _ALL or ref.name in _BROAD:
            return None
        value = self._resolver.resolve(home.file, home.function, ref)
        return value.made if value is not None and isinstance(value.made, Group) else None

    def _symbol(self, home: Home, expr: Expr) -> str:
        text = dotted(expr)
        if text in _ALL or text in _BROAD:
            return text
        value = self._resolver.resolve(home.file, home.function, expr)
        return value.path.removeprefix("builtins.") if value is not None else text


def is_debugging(function: Function, site: Site) -> bool:
    """A call is only reached where a flag for debugging or testing is set."""
    step = function.steps[site.step]
    around = [block for block in enclosing(function, step.block) if block.kind in ("if", "else")]
    left = [block for block in function.blocks if block.kind == "if" and block.ends in ("return", "raise") and block.end <= step.start]
    return any(_flags(function, block) is (block.kind == "if") for block in around) or any(
        _flags(function, block) is False for block in left
    )


def _flags(function: Function, block: Block) -> bool | None:
    """Whether the test that opens a block asks for such a flag to be set (True) or not (False)."""
    test = function.steps[block.opened_by].value if block.opened_by >= 0 else None
    parts = list(walk(test)) if test is not None else []
    if not any(_FLAG.search(dotted(part)) for part in parts):
        return None
    negated = (part.parts[0] for part in parts if isinstance(part, Op) and part.op == "not")
    return not any(_FLAG.search(dotted(inner)) for part in negated for inner in walk(part))


def is_rare(function: Function, site: Site) -> bool:
    """A call stands where an exception was caught."""
    return any(block.kind == "except" for block in enclosing(function, function.steps[site.step].block))
