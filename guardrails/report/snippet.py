"""Source lines with a gutter and an underline: tabs expanded, wide characters measured, long lines cropped around the span."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate

import msgspec

from guardrails.lines import Lines
from guardrails.report.ink import Ink
from guardrails.report.safe import visible, width, wrap
from guardrails.result import Spot

TAB = 4
LEAST_ROOM = 20  # cells of code, however narrow the terminal


class Mark(msgspec.Struct, frozen=True):
    """A place to show: with `words` for a secondary one, in `style`, underlined with `sign`."""

    spot: Spot
    words: str = ""
    style: str = "second"
    sign: str = "-"


class Strip(msgspec.Struct, frozen=True):
    """A line as it is shown, with the cells that its span covers."""

    text: str
    start: int
    length: int


class Sources:
    """The lines of the files that findings stand in."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self._sources = sources
        self._lines: dict[str, Lines] = {}

    def line(self, spot: Spot) -> str | None:
        """The line in which a place starts, without its end; None where it is not at hand or blank."""
        if spot.path not in self._sources:
            return None
        if spot.path not in self._lines:
            self._lines[spot.path] = Lines(self._sources[spot.path])
        lines = self._lines[spot.path]
        line = decode(lines, spot.line) if 0 < spot.line <= len(lines.starts) else ""
        return line if line.strip() else None


def decode(lines: Lines, line: int) -> str:
    """A line without its end, as the columns of a `Spot` count its characters."""
    start, end = lines.span(line)
    return lines.decode(lines.source[start:end].rstrip(b"\r\n").removeprefix(codecs.BOM_UTF8 if line == 1 else b""))


def strip(line: str, column: int, end: int, room: int) -> Strip:
    """The line in at most `room` cells. `column` and `end` (exclusive) count characters from 1."""
    cells = list(_cells(line))
    edges = [0, *accumulate(width(cell) for cell in cells)]
    start = edges[min(column - 1, len(cells))]
    stop = max(edges[min(end - 1, len(cells))], start + 1)
    if edges[-1] <= room:
        return Strip("".join(cells).rstrip(), start, stop - start)
    return _crop(cells, edges, start, stop, room)


def _cells(line: str) -> Iterator[str]:
    at = 0
    for char in line:
        cell = " " * (TAB - at % TAB) if char == "\t" else visible(char)
        at += width(cell)
        yield cell


def _crop(cells: list[str], edges: list[int], start: int, stop: int, room: int) -> Strip:
    """The window around a span, with `…` where something was cut off."""
    fits_left = start + min(stop - start, room // 2) <= room - 1
    left = 0 if fits_left else max(0, start - room // 4)
    first = next(index for index, edge in enumerate(edges) if edge >= left)
    lead = "…" if first else ""
    space = room - len(lead) - 1
    last = max(index for index, edge in enumerate(edges) if edge - edges[first] <= space)
    tail = "…" if last < len(cells) else ""
    shift = edges[first] - len(lead)
    return Strip(lead + "".join(cells[first:last]) + tail, start - shift, max(1, min(stop, edges[last]) - start))


class Gallery:
    """Shows marks one below the other, with a head line where the file changes."""

    def __init__(self, sources: Sources, ink: Ink, columns: int) -> None:
        self.sources, self.ink, self.columns = sources, ink, columns

    def show(self, primary: Mark, others: Iterable[Mark]) -> Iterator[str]:
        """The lines of all marks, file by file from the primary one's, which needs no head line; within a file from top to bottom."""
        files: dict[str, list[Mark]] = {primary.spot.path: [primary]}
        for mark in others:
            files.setdefault(mark.spot.path, []).append(mark)
        gutter = max(len(str(mark.spot.line)) for marks in files.values() for mark in marks) + 2
        for path, marks in files.items():
            marks.sort(key=lambda mark: mark.spot)
            if path != primary.spot.path and self.sources.line(marks[0].spot) is not None:
                yield self._arrow(marks[0].spot, "", gutter)
            yield from self._file(marks, gutter)

    def _file(self, marks: Iterable[Mark], gutter: int) -> Iterator[str]:
        row = 0
        for mark in marks:
            line = self.sources.line(mark.spot)
            if line is None:
                if mark.words:
                    yield self._arrow(mark.spot, mark.words, gutter)
                continue
            if row and mark.spot.line > row + 1:
                yield self.ink(f"{'...':>{gutter + 2}}", "gutter")
            yield from self._excerpt(mark, line, gutter, mark.spot.line != row)
            row = mark.spot.line

    def _arrow(self, spot: Spot, words: str, gutter: int) -> str:
        return f"{' ' * (gutter - 1)}{self.ink('-->', 'gutter')} {where(spot)}  {visible(words)}".rstrip()

    def _excerpt(self, mark: Mark, line: str, gutter: int, with_code: bool) -> Iterator[str]:
        spot, room = mark.spot, max(self.columns - gutter - 3, LEAST_ROOM)
        several = spot.end_line > spot.line
        shown = strip(line, spot.column, len(line.rstrip()) + 1 if several else spot.end_column, room)
        if with_code:
            yield f"{self.ink(f'{spot.line:>{gutter}} |', 'gutter')} {shown.text}"
        words = mark.words or (f"to line {spot.end_line}" if several else "")
        yield from self._underline(mark, shown, words, gutter)

    def _underline(self, mark: Mark, shown: Strip, words: str, gutter: int) -> Iterator[str]:
        edge = self.ink(" " * gutter + " |", "gutter")
        under = " " * shown.start + self.ink(mark.sign * shown.length, mark.style)
        words, room = visible(words), max(self.columns - gutter - 3, LEAST_ROOM)
        if not words or shown.start + shown.length + 1 + width(words) <= room:
            yield f"{edge} {under} {self.ink(words, mark.style)}".rstrip()
            return
        yield f"{edge} {under}"
        indent = " " * max(0, min(shown.start, room - width(words)))
        for piece in wrap(words, room, indent, indent):
            yield f"{edge} {self.ink(piece, mark.style)}"


def where(spot: Spot) -> str:
    """`path:line:column`, safe to print."""
    return f"{at_line(spot)}:{spot.column}" if spot.line > 0 else at_line(spot)


def at_line(spot: Spot) -> str:
    """`path:line`, safe to print."""
    return f"{visible(spot.path)}:{spot.line}" if spot.line > 0 else visible(spot.path)
