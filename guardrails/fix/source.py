"""A Python file under repair: libcst's tree with the byte span of every node, and edits of bytes that leave all others as they are."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

import libcst as cst
import msgspec
from libcst.metadata import ByteSpanPositionProvider, CodeSpan, MetadataWrapper, ParentNodeProvider

from guardrails.lines import Lines
from guardrails.place import Place

Node = TypeVar("Node", bound=cst.CSTNode)


class Edit(msgspec.Struct, frozen=True, order=True):
    """Bytes from `start` to `end` become `text`; an insertion where both are the same. Of insertions at one place the lower `rank` stands
    first."""

    start: int
    end: int
    rank: int
    text: bytes


class UnfitError(Exception):
    """The file cannot be repaired: no Python that libcst reads, or bytes that do not come out as they went in."""


class Source:
    """One file. Offsets are of its bytes, as everywhere in the linter. Raises `UnfitError`."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path, self.data = path, data
        self.encoding = Lines(data).encoding
        self._mark = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
        self.text = _decoded(data[self._mark :], self.encoding)
        self.module = _parsed(self.text)
        self._utf8 = self.text.encode() if self.encoding not in ("utf-8", "ascii") else b""
        found = MetadataWrapper(self.module, unsafe_skip_copy=True).resolve_many([ByteSpanPositionProvider, ParentNodeProvider])
        self._spans = cast("Mapping[cst.CSTNode, CodeSpan]", found[ByteSpanPositionProvider])
        self._parents = cast("Mapping[cst.CSTNode, cst.CSTNode]", found[ParentNodeProvider])
        self._by_span: dict[tuple[int, int], list[cst.CSTNode]] = {}
        for node in self._spans:
            self._by_span.setdefault(self.span(node), []).append(node)

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where a node begins and ends, without the parentheses around it."""
        found = self._spans[node]
        return self._offset(found.start), self._offset(found.start + found.length)

    def outer(self, node: cst.BaseExpression) -> tuple[int, int]:
        """Where an expression begins and ends, with the parentheses around it."""
        return self._edge(node.lpar, node)[0], self._edge(node.rpar, node)[1]

    def _edge(self, marks: Sequence[cst.CSTNode], node: cst.CSTNode) -> tuple[int, int]:
        spans = [self.span(mark) for mark in marks] + [self.span(node)]
        return min(span[0] for span in spans), max(span[1] for span in spans)

    def _offset(self, utf8: int) -> int:
        """The file's own offset of one that counts UTF-8."""
        return self._mark + (len(self._utf8[:utf8].decode().encode(self.encoding)) if self._utf8 else utf8)

    def at(self, place: Place, kind: type[Node]) -> Node | None:
        """The outermost node of a kind that spans a place exactly."""
        nodes = self._by_span.get((place.start, place.end), ())
        return next((node for node in nodes if isinstance(node, kind)), None)

    def expression(self, place: Place) -> cst.BaseExpression | None:
        """The outermost expression that spans a place exactly."""
        nodes = self._by_span.get((place.start, place.end), ())
        return next((node for node in nodes if isinstance(node, cst.BaseExpression)), None)

    def functions(self, offset: int) -> list[cst.FunctionDef]:
        """The functions in which an offset stands."""
        found = [node for node in self._spans if isinstance(node, cst.FunctionDef)]
        return [node for node in found if self.span(node)[0] <= offset < self.span(node)[1]]

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around a node, None for the module."""
        return self._parents.get(node)

    def around(self, node: cst.CSTNode, kind: type[Node]) -> Node | None:
        """The nearest node of a kind around a node."""
        found = self.parent(node)
        while found is not None and not isinstance(found, kind):
            found = self.parent(found)
        return found

    def code(self, node: cst.CSTNode) -> str:
        """A node as it is written, with the parentheses around it."""
        start, end = self.outer(node) if isinstance(node, cst.BaseExpression) else self.span(node)
        return self.slice(start, end)

    def slice(self, start: int, end: int) -> str:
        """Some of the text, by byte offsets."""
        return self.data[start:end].decode(self.encoding)

    def edit(self, start: int, end: int, text: str, rank: int = 0) -> Edit:
        """An edit, its line ends as those of the file."""
        return Edit(start, end, rank, text.replace("\n", self.newline).encode(self.encoding))

    @property
    def newline(self) -> str:
        """How lines of the file end."""
        return self.module.default_newline

    @property
    def quote(self) -> str:
        """The quotes that the file uses most."""
        return "'" if self.text.count("'") > self.text.count('"') else '"'

    def line_start(self, offset: int) -> int:
        """Where the line of an offset begins."""
        return max(self.data.rfind(b"\n", 0, offset), self.data.rfind(b"\r", 0, offset)) + 1 or self._mark

    def line_end(self, offset: int) -> int:
        """Where the line of an offset ends, before its line end."""
        ends = [found for mark in (b"\r", b"\n") if (found := self.data.find(mark, offset)) >= 0]
        return min(ends, default=len(self.data))

    def indent(self, offset: int) -> str | None:
        """The white space before an offset, where nothing else stands before it on its line."""
        before = self.slice(self.line_start(offset), offset)
        return before if not before.strip() else None

    def statement(self, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
        """The statement around a node that has a line, or several, to itself."""
        line = self.around(node, cst.SimpleStatementLine)
        if line is None or len(line.body) != 1 or self.indent(self.span(line)[0]) is None:
            return None
        return line


def apply(data: bytes, edits: Sequence[Edit]) -> bytes:
    """The bytes with all edits made; they must not overlap."""
    parts, at = [], 0
    for edit in sorted(edits):
        parts += [data[at : edit.start], edit.text]
        at = edit.end
    return b"".join([*parts, data[at:]])


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
        if text.encode(encoding) != data:
            raise UnfitError("its encoding does not give the same bytes back")
    except ValueError:
        raise UnfitError(f"it holds bytes that are no {encoding}") from None
    return text


def _parsed(text: str) -> cst.Module:
    try:
        module = cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError, UnicodeError):
        raise UnfitError("libcst cannot read it") from None
    if module.code != text:
        raise UnfitError("libcst does not give it back as it is")
    return module
