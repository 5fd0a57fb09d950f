"""What readers on tree-sitter share: depth-limited dispatch over nodes, comments, unreadable regions, literals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from math import isfinite
from typing import Any

from tree_sitter import Language, Node, Parser, Query, QueryCursor

from guardrails.outline import Expr, FunctionKind, Group, Op, Other, Pair, Ref, Spread
from guardrails.read.build import DEEPEST, Builder, Frame, deep

ToExpr = Callable[[Any, Node], Expr]
ToSteps = Callable[[Any, Node], None]
COMMENTS = frozenset({"comment", "html_comment", "line_comment", "block_comment"})


class Reader:
    """One file while it is lowered. `shift` is added to the offsets of a tree that was parsed from a piece of the file."""

    def __init__(
        self, builder: Builder, source: bytes, expressions: Mapping[str, ToExpr], statements: Mapping[str, ToSteps], damaged: bool
    ) -> None:
        self.builder, self.source = builder, source
        self.expressions, self.statements = expressions, statements
        self.damaged = damaged
        self._bytes = source.decode("latin-1")  # a character a byte: slices of it need no decoding where they are ASCII
        self.shift = 0
        self.reparsed = 0  # how many such trees are being lowered inside one another
        self.depth = 0
        self.exporting = False  # this and the next are for the next declaration, which takes them away
        self.decorators: tuple[Expr, ...] = ()
        self.modules: list[str] = []  # inline modules and namespaces around; they only prefix qualified names
        self._read_errors: set[int] = set()

    def text(self, node: Node) -> str:
        """The source of a node; much faster than its own `text`."""
        start, end = node.start_byte + self.shift, node.end_byte + self.shift
        piece = self._bytes[start:end]
        return piece if piece.isascii() else self.source[start:end].decode("utf-8", "replace")

    def expr(self, node: Node) -> Expr:
        """The expression at a node of any kind."""
        if self.depth >= DEEPEST:
            return self.too_deep(node)
        self.depth += 1
        value = self.expressions.get(node.type, other)(self, node)
        self.depth -= 1
        if self.damaged and node.has_error:
            self._sweep(node)
        return value

    def statement(self, node: Node) -> None:
        """Record the steps of a node of any kind."""
        if self.is_too_deep(node):
            return
        self.depth += 1
        self.statements.get(node.type, _expression)(self, node)
        self.depth -= 1
        if self.damaged and node.has_error:
            self._sweep(node)

    def each(self, nodes: Iterable[Node]) -> None:
        """Record the steps of several nodes."""
        for node in nodes:
            self.statement(node)

    def field(self, node: Node, name: str) -> Expr:
        """The expression in a field that the grammar requires; an empty one stands for what error recovery left out."""
        child = node.child_by_field_name(name)
        return Other(node.end_byte + self.shift, node.end_byte + self.shift, "missing", ()) if child is None else self.expr(child)

    def field_or_none(self, node: Node, name: str) -> Expr | None:
        """The expression in a field that may be empty."""
        child = node.child_by_field_name(name)
        return None if child is None else self.expr(child)

    def inner(self, node: Node) -> Expr:
        """The only expression inside a node, such as one in parentheses."""
        child = first(node)
        return Other(node.end_byte + self.shift, node.end_byte + self.shift, "missing", ()) if child is None else self.expr(child)

    def marks(self) -> tuple[bool, tuple[Expr, ...]]:
        """Whether the declaration at hand is exported, and its decorators."""
        taken = self.exporting, self.decorators
        self.exporting, self.decorators = False, ()
        return taken

    def define(self, node: Node, kind: FunctionKind, name: str, label: Node | None, head: Iterable[Expr | None]) -> Frame:
        """Open a function or class that is a statement; calls in its head belong to the `def` step in its place."""
        b = self.builder
        step = b.step("def", node.start_byte + self.shift, node.end_byte + self.shift, function=len(b.functions))
        for one in head:
            b.aside(step, one)
        return self.open(node, kind, name, label)

    def open(self, node: Node, kind: FunctionKind, name: str, label: Node | None) -> Frame:
        """Open a function; `label` is where its name stands."""
        frame = self.builder.open_function(name, kind, node.start_byte + self.shift, node.end_byte + self.shift)
        if label is not None:
            frame.name_start, frame.name_end = label.start_byte + self.shift, label.end_byte + self.shift
        if self.modules and frame.parent == 0:
            frame.qualname = ".".join((*self.modules, name))
        return frame

    @contextmanager
    def shifted(self, shift: int) -> Iterator[None]:
        """While the tree of a piece that was parsed apart is lowered."""
        before, self.shift, self.reparsed = self.shift, shift, self.reparsed + 1
        yield
        self.shift, self.reparsed = before, self.reparsed - 1

    def is_too_deep(self, node: Node) -> bool:
        """Whether the nesting has come to its limit at this node, which then is told as unreadable."""
        if self.depth < DEEPEST:
            return False
        self.too_deep(node)
        return True

    def too_deep(self, node: Node) -> Other:
        """Stands for a node below the deepest level, which is told as unreadable."""
        start, end = node.start_byte + self.shift, node.end_byte + self.shift
        self.builder.unreadable(start, end, "nested too deeply")
        return deep(start, end)

    def error(self, node: Node) -> Other:
        """What is readable in an ERROR node: its statements as steps, its expressions as parts."""
        self._read_errors.add(node.id)
        return other(self, node)

    def _sweep(self, node: Node) -> None:
        """Read the errors that stand where the grammar has no place for them, so that no handler met them."""
        for child in node.children:
            if child.type == "ERROR" and child.id not in self._read_errors:
                error_statement(self, child)


def other(r: Reader, node: Node) -> Other:
    """A node without a shape of its own: statements in it become steps, all else its parts."""
    parts: list[Expr] = []
    for child in node.named_children:
        if child.type in r.statements:
            r.statement(child)
        else:
            parts.append(r.expr(child))
    return Other(node.start_byte + r.shift, node.end_byte + r.shift, node.type, tuple(parts))


def error_expr(r: Reader, node: Node) -> Expr:
    """What is readable in an error, as parts."""
    return r.error(node)


def error_statement(r: Reader, node: Node) -> None:
    """What is readable in an error, as steps."""
    value = r.error(node)
    if value.parts:
        r.builder.step("expr", value.start, value.end, value)


def _expression(r: Reader, node: Node) -> None:
    r.builder.step("expr", node.start_byte + r.shift, node.end_byte + r.shift, r.expr(node))


def skip(r: Reader, node: Node) -> None:
    """For what has no steps: comments, empty statements."""


def first(node: Node) -> Node | None:
    """The first named child that is no comment."""
    for child in node.named_children:
        if child.type not in COMMENTS:
            return child
    return None


def parts(node: Node) -> list[Node]:
    """The named children that are no comments."""
    return [child for child in node.named_children if child.type not in COMMENTS]


def has_token(node: Node, *tokens: str) -> bool:
    """Whether one of the tokens, such as `async`, is a direct child."""
    return any(child.type in tokens for child in node.children)


def bound(pattern: Expr) -> Iterator[Ref]:
    """The names that a pattern binds, in source order."""
    todo = [pattern]
    while todo:
        match todo.pop():
            case Ref() as ref:
                yield ref
            case Pair(value=value) | Spread(value=value):
                todo.append(value)
            case Group(items=items):
                todo.extend(reversed(items))
            case Op(op="=", parts=(target, *_)):
                todo.append(target)
            case Op(op="@" | "|", parts=alternatives):
                todo.extend(reversed(alternatives))
            case _:
                pass


@cache
def parser(language: Callable[[], object]) -> Parser:
    """The parser of a grammar, one a process."""
    return Parser(_language(language))


@cache
def _language(language: Callable[[], object]) -> Language:
    return Language(language())


@cache
def _query(language: Callable[[], object], pattern: str) -> Query:
    return Query(_language(language), pattern)


def note_comments(builder: Builder, source: bytes, root: Node, language: Callable[[], object], pattern: str) -> None:
    """Every comment, wherever the grammar lets it stand: the walk follows meaning and would pass many by."""
    for node in _captures(root, language, pattern):
        raw = source[node.start_byte : node.end_byte].rstrip(b"\r\n")
        own_line = _starts_line(source, node.start_byte, node.start_byte - node.start_point.column)
        builder.comment(node.start_byte, node.start_byte + len(raw), raw.decode("utf-8", "replace"), own_line)


def _captures(root: Node, language: Callable[[], object], pattern: str) -> list[Node]:
    found = QueryCursor(_query(language, pattern)).captures(root)
    return sorted((node for nodes in found.values() for node in nodes), key=lambda node: (node.start_byte, -node.end_byte))


def _starts_line(source: bytes, start: int, line: int) -> bool:
    # A minified file is one line of megabytes: look at its beginning before copying all of it.
    return not source[line : min(start, line + 200)].strip() and not source[line:start].strip()


def note_errors(builder: Builder, root: Node, language: Callable[[], object], readable: Mapping[str, ToSteps]) -> None:
    """The regions that could not be read: an error without the whole statements in it; a token that is missing."""
    for node in _captures(root, language, "[(ERROR) (MISSING)] @broken"):
        if node.is_missing:
            builder.unreadable(node.start_byte, node.end_byte, "something is missing" if node.is_named else f"{node.type} is missing")
        else:
            for start, end in _unreadable_runs(node, readable):
                builder.unreadable(start, end, "its grammar is not understood")


def _unreadable_runs(error: Node, readable: Mapping[str, ToSteps]) -> Iterator[tuple[int, int]]:
    start = end = -1
    for child in error.children:
        if child.type in readable and child.type != "ERROR" and child.is_named:
            if start >= 0:
                yield start, end
            start = -1
        else:
            start, end = child.start_byte if start < 0 else start, child.end_byte
    if start >= 0:
        yield start, end
    elif not error.child_count:
        yield error.start_byte, error.end_byte


_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f_]+)\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|\r?\n[ \t]*|(.))", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}


def unescape(raw: str) -> str:
    """The value of a string's inside in TypeScript or Rust; what is no character becomes U+FFFD."""
    if "\\" not in raw:
        return raw
    value = _ESCAPE.sub(_character, raw)
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(match: re.Match[str]) -> str:
    digits = match[1] or match[2] or match[3]
    if digits is None:
        return _SIMPLE.get(match[4], match[4]) if match[4] is not None else ""
    code = int(digits.replace("_", "") or "0", 16)
    return chr(code) if code < 0x110000 else "\ufffd"


def number(raw: str) -> int | float | None:
    """A number as written; None for what no 64-bit integer and no finite float can hold (msgspec could not store it)."""
    raw = raw.replace("_", "")
    try:
        whole = int(raw, 0)
        return whole if abs(whole) < 1 << 63 else float(whole)
    except (ValueError, OverflowError):
        return _fraction(raw)


def _fraction(raw: str) -> float | None:
    try:
        value = float(raw)
    except ValueError:
        return None
    return value if isfinite(value) else None
