"""A Python syntax tree while it is being lowered: kinds of nodes, the file's text, what may stand between any two nodes."""

from __future__ import annotations

import re
from functools import cache

import tree_sitter_python
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from guardrails.outline import Expr
from guardrails.read.build import DEEPEST, Builder, deep
from guardrails.read.python_text import coding_of, identifier, scrub

LANGUAGE = Language(tree_sitter_python.language())
PARSER = Parser(LANGUAGE)


def kind(name: str, named: bool = True) -> int:
    """The number of a kind of node: comparing numbers is much faster than comparing names."""
    found = LANGUAGE.id_for_node_kind(name, named)
    if found is None:
        raise LookupError(f"the Python grammar has no {name!r}")
    return found


ERROR = 0xFFFF
COMMENT, CONTINUATION = kind("comment"), kind("line_continuation")
EXTRAS = frozenset((COMMENT, CONTINUATION, ERROR))
TOKENS = frozenset(number for number in range(LANGUAGE.node_kind_count) if not LANGUAGE.node_kind_is_named(number))
SKIPPED = TOKENS | EXTRAS
BLOCK = kind("block")
_LONG = 300
_RUN = re.compile(rb"^[ \t]*#[^\n]*\n(?:[ \t\r\f]*(?:#[^\n]*)?\n){%d,}" % _LONG, re.MULTILINE)
_BLANKS = " \t\r\f"
_HIGH = bytes(byte if byte < 128 else ord("x") for byte in range(256))


@cache
def _sweeper() -> Query:
    return Query(LANGUAGE, "(comment) @comment (ERROR) @error (MISSING) @missing")


def sweep(node: Node) -> dict[str, list[Node]]:
    """All comments, errors and missing tokens at and below a node, however deep."""
    return QueryCursor(_sweeper()).captures(node)


class Reader:
    """One file while it is being read.

    `text` is the source decoded as latin-1, so that its offsets are those of the bytes; `decode` turns a piece of it into what
    it says. `stray` holds the errors met inside a statement; `swept`: comments are gathered by `sweep`, not on the way.
    """

    __slots__ = ("builder", "coding", "depth", "root", "stray", "swept", "text")

    def __init__(self, source: bytes) -> None:
        self.text = source.decode("latin-1")
        self.coding = coding_of(source)
        self.builder = Builder("python", len(source))
        self.depth = 0
        self.stray: list[Node] = []
        self.root = PARSER.parse(self._parsable(source)).root_node
        self.swept = self.root.has_error

    def _parsable(self, source: bytes) -> bytes:
        """The source as the grammar takes it, with the same offsets.

        It reads UTF-8 only: other codings are parsed with a letter for each high byte. And at each comment it looks ahead
        over all that follow, which takes minutes in long runs of them: each run is parsed as one comment.
        """
        if not self.text.isascii() and not self._is_utf8(source):
            source = source.translate(_HIGH)
        if source.count(b"#") > _LONG:
            source = _RUN.sub(lambda found: found[0][:-1].replace(b"\n", b" ") + b"\n", source)
        return source

    def _is_utf8(self, source: bytes) -> bool:
        try:
            source.decode()
        except UnicodeDecodeError:
            return False
        return self.coding == "utf-8"

    def decode(self, piece: str) -> str:
        """What a piece of `text` says."""
        return piece if piece.isascii() else scrub(piece.encode("latin-1").decode(self.coding, "replace"))

    def of(self, node: Node) -> str:
        """The text of a node."""
        return self.decode(self.text[node.start_byte : node.end_byte])

    def name(self, node: Node) -> str:
        """The text of an identifier."""
        piece = self.text[node.start_byte : node.end_byte]
        return piece if piece.isascii() else identifier(self.decode(piece))

    def extra(self, node: Node) -> None:
        """Something that may stand anywhere: keep it."""
        if node.kind_id == ERROR:
            self.stray.append(node)
        elif node.kind_id == COMMENT and not self.swept:
            self.comment(node)

    def comment(self, node: Node) -> None:
        """Keep a comment, or each of a run of them."""
        start = node.start_byte
        before = self.text[self.text.rfind("\n", 0, start) + 1 : start].rpartition("\r")[2]
        own_line = not before.strip().removeprefix("ï»¿")
        for line in self.text[start : node.end_byte].split("\n"):
            found = line.lstrip(_BLANKS)
            if found:
                first = start + len(line) - len(found)
                found = found.rstrip("\r")
                self.builder.comment(first, first + len(found), self.decode(found), own_line)
            start += len(line) + 1
            own_line = True

    def clean(self, nodes: list[Node]) -> list[Node]:
        """The nodes without what may stand anywhere."""
        kept = []
        for node in nodes:
            if node.kind_id in EXTRAS:
                self.extra(node)
            else:
                kept.append(node)
        return kept

    def parts(self, node: Node) -> list[Node]:
        """The named children without what may stand anywhere."""
        kept = []
        for child in node.children:
            found = child.kind_id
            if found not in SKIPPED:
                kept.append(child)
            elif found in EXTRAS:
                self.extra(child)
        return kept

    def is_too_deep(self, node: Node) -> bool:
        """Whether the nesting has come to its limit at this node, which then is told as unreadable."""
        if self.depth < DEEPEST:
            return False
        self.builder.unreadable(node.start_byte, node.end_byte, "nested too deeply")
        if not self.swept:
            for found in sweep(node).get("comment", ()):
                self.comment(found)
        return True

    def too_deep(self, node: Node) -> Expr:
        """What stands for an expression at the limit of nesting."""
        self.is_too_deep(node)
        return deep(node.start_byte, node.end_byte)
