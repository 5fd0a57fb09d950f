"""Source for the page: the lines around a finding, cut into pieces by what is marked and by the kind of code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import PurePosixPath

import msgspec

from guardrails.lines import Lines
from guardrails.report.prose import parts
from guardrails.report.safe import visible, visible_code
from guardrails.report.snippet import decode
from guardrails.result import Found, Remark, Spot

AROUND = 2  # lines above and below a finding
TALLEST = 10  # lines of one marked place
WIDEST = 240  # characters of a line
LEAD = 60  # characters before a mark in a line that is cut

_PYTHON = (
    "and as assert async await break case class continue def del elif else except False finally for from global if import in is lambda "
    "match None nonlocal not or pass raise return True try while with yield"
)
_SCRIPT = (
    "abstract as async await break case catch class const continue default delete do else enum export extends false finally for from "
    "function if implements import in instanceof interface let new null of private public return static super switch this throw true try "
    "type typeof undefined var void while yield"
)
_RUST = (
    "as async await break const continue crate else enum extern false fn for if impl in let loop match mod move mut pub ref return self "
    "Self static struct super trait true type unsafe use where while"
)
_DOUBLE, _SINGLE, _TICKS = r'"(?:\\.|[^"\\])*"?', r"'(?:\\.|[^'\\])*'?", r"`(?:\\.|[^`\\])*`?"


def _tokens(comment: str, strings: str, words: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<remark>{comment}.*)|(?P<text>{strings})|\b(?P<word>{'|'.join(words.split())})\b|\w+")


PYTHON = _tokens("#", f"{_DOUBLE}|{_SINGLE}", _PYTHON)
SCRIPT = _tokens("//", f"{_DOUBLE}|{_SINGLE}|{_TICKS}", _SCRIPT)
RUST = _tokens("//", _DOUBLE, _RUST)


class Piece(msgspec.Struct, frozen=True):
    """Text of one kind (`remark`, `text`, `word` or "") that is marked as `primary`, as `second` or not."""

    text: str
    kind: str
    mark: str


class Row(msgspec.Struct, frozen=True):
    """A line with what is said about its marks; `number` is 0 where lines are left out."""

    number: int
    pieces: tuple[Piece, ...] = ()
    notes: tuple[tuple[tuple[bool, str], ...], ...] = ()

    @property
    def is_here(self) -> bool:
        """Whether the finding itself stands in this line."""
        return any(piece.mark == "primary" for piece in self.pieces)


class Excerpt(msgspec.Struct, frozen=True):
    """Lines of one file."""

    path: str
    rows: tuple[Row, ...]


class _Mark(msgspec.Struct, frozen=True):
    spot: Spot
    kind: str
    words: str = ""


class Excerpts:
    """Makes the excerpts of a result."""

    def __init__(self, sources: Iterable[tuple[str, bytes]]) -> None:
        self._sources = dict(sources)
        self._lines: dict[str, Lines] = {}

    def of(self, found: Found, around: int = AROUND) -> list[Excerpt]:
        """An excerpt a file, the finding's own first."""
        files: dict[str, list[_Mark]] = {found.spot.path: [_Mark(found.spot, "primary")]}
        for remark in found.related:
            files.setdefault(remark.spot.path, []).append(_second(remark))
        made = (self._file(path, marks, around) for path, marks in files.items())
        return [excerpt for excerpt in made if excerpt.rows]

    def _file(self, path: str, marks: list[_Mark], around: int) -> Excerpt:
        lines = self._of(path)
        if lines is None:
            return Excerpt(visible(path), ())
        last = len(lines.starts)
        wanted = {line for mark in marks for line in _span(mark, around) if 0 < line <= last}
        texts = {line: decode(lines, line) for line in sorted(wanted)}
        return Excerpt(visible(path), tuple(_rows(texts, marks, tokens_of(path))))

    def _of(self, path: str) -> Lines | None:
        if path in self._sources and path not in self._lines:
            self._lines[path] = Lines(self._sources[path])
        return self._lines.get(path)


def tokens_of(path: str) -> re.Pattern[str]:
    """What tells the kinds of code apart in a file of this name."""
    return {".py": PYTHON, ".pyi": PYTHON, ".rs": RUST}.get(PurePosixPath(path).suffix, SCRIPT)


def _second(remark: Remark) -> _Mark:
    return _Mark(remark.spot, "second", remark.message)


def _span(mark: _Mark, around: int) -> range:
    extra = around if mark.kind == "primary" else 0
    end = min(mark.spot.end_line, mark.spot.line + TALLEST - 1)
    return range(mark.spot.line - extra, max(end, mark.spot.line) + extra + 1) if mark.spot.line > 0 else range(0)


def _rows(texts: dict[int, str], marks: list[_Mark], tokens: re.Pattern[str]) -> Iterator[Row]:
    before, full = 0, [line for line, text in texts.items() if text.strip()]
    for line, text in texts.items():
        if not full or not full[0] <= line <= full[-1]:
            continue
        if before and line > before + 1:
            yield Row(0)
        before = line
        here = [mark for mark in marks if mark.spot.line <= line <= mark.spot.end_line]
        words = dict.fromkeys(mark.words for mark in marks if mark.words and mark.spot.line == line)
        yield Row(line, tuple(_pieces(text, line, here, tokens)), tuple(tuple(parts(one)) for one in words))


def _pieces(text: str, line: int, marks: list[_Mark], tokens: re.Pattern[str]) -> Iterator[Piece]:
    spans = [(*_columns(mark.spot, line, text), mark.kind) for mark in marks]
    first = min((start for start, _, _ in spans), default=0)
    left = max(0, first - LEAD) if len(text) > WIDEST else 0
    right = min(len(text), left + WIDEST)
    kinds = [(match.start(), match.end(), match.lastgroup) for match in tokens.finditer(text, left, right) if match.lastgroup]
    edges = {left, right, *(edge for start, end, _ in (*spans, *kinds) for edge in (start, end) if left < edge < right)}
    ordered = sorted(edges)
    if left:
        yield Piece("…", "", "")
    for start, end in pairwise(ordered):
        yield Piece(visible_code(text[start:end]), _over(kinds, start), _over(sorted(spans, key=lambda span: span[2]), start))
    if right < len(text):
        yield Piece("…", "", "")


def _columns(spot: Spot, line: int, text: str) -> tuple[int, int]:
    """The characters (from 0) of a line that a place covers; of the lines below its first without their indent."""
    start = spot.column - 1 if line == spot.line else len(text) - len(text.lstrip())
    end = spot.end_column - 1 if line == spot.end_line else len(text.rstrip())
    return start, max(end, start + 1)


def _over(spans: Iterable[tuple[int, int, str]], at: int) -> str:
    return next((kind for start, end, kind in spans if start <= at < end), "")
