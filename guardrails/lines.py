"""Byte offsets to lines and columns: both from 1, columns in code points, whatever the encoding and the line ends."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right

from guardrails.result import Spot

STRIDE = 512  # bytes between the places of a long line from which columns are counted
_NO_TEXT = frozenset({"undefined", "idna", "punycode"})  # text encodings that cannot decode any bytes
_BREAK = re.compile(rb"\r\n|\n|\r")
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")


class Lines:
    """The lines of one file. A byte order mark is no column; bytes that are wrong in the file's encoding count as one column each."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.starts = [0, *(match.end() for match in _BREAK.finditer(source))]
        self.encoding = encoding_of(source)
        self._strides: dict[int, list[tuple[int, tuple[bytes, int]]]] = {}  # by line: characters so far, state of the decoder
        self._mark = len(codecs.BOM_UTF8) if source.startswith(codecs.BOM_UTF8) else 0

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of a byte offset; of one behind the end, the end's."""
        offset = max(self._mark, min(offset, len(self.source)))
        line = bisect_right(self.starts, offset)
        start = max(self.starts[line - 1], self._mark)
        if offset - start <= STRIDE:
            return line, len(self.decode(self.source[start:offset])) + 1
        return line, self._far(line, start, offset) + 1

    def _far(self, line: int, start: int, offset: int) -> int:
        """How many characters of a long line stand before an offset: it is decoded once, not once a question."""
        decoder = codecs.getincrementaldecoder(self.encoding)(self._errors)
        if line not in self._strides:
            self._strides[line] = strides = [(0, decoder.getstate())]
            for at in range(start, self.span(line)[1], STRIDE):
                strides.append((strides[-1][0] + len(decoder.decode(self.source[at : at + STRIDE])), decoder.getstate()))
        number = (offset - start) // STRIDE
        before, state = self._strides[line][number]
        decoder.setstate(state)
        return before + len(decoder.decode(self.source[start + number * STRIDE : offset], True))

    def spot(self, path: str, start: int, end: int) -> Spot:
        """The lines and columns of a span."""
        return Spot(path, *self.position(start), *self.position(max(start, end)))

    def offset(self, line: int, column: int) -> int:
        """The byte offset of a line and column, both from 1."""
        start, end = self.span(line)
        start = max(start, self._mark) if line == 1 else start
        return start + len(self.decode(self.source[start:end])[: column - 1].encode(self.encoding, self._errors))

    def span(self, line: int) -> tuple[int, int]:
        """Byte offsets of a line (from 1), with its line end."""
        return self.starts[line - 1], self.starts[line] if line < len(self.starts) else len(self.source)

    def line_of(self, offset: int) -> int:
        """The line (from 1) that a byte offset stands in."""
        return bisect_right(self.starts, offset)

    def decode(self, data: bytes) -> str:
        """Bytes of the file as text; wrong ones become one character each."""
        return data.decode(self.encoding, self._errors)

    @property
    def _errors(self) -> str:
        return "surrogateescape" if self.encoding in ("utf-8", "ascii") else "replace"


def encoding_of(source: bytes) -> str:
    """The encoding that a coding line names in the first two lines, utf-8 where none does or its name is unknown."""
    if source.startswith(codecs.BOM_UTF8):
        return "utf-8"
    for line in _BREAK.split(source[:400], maxsplit=2)[:2]:
        if match := _CODING.match(line):
            return _known(match[1].decode("ascii", "replace"))
        if not _BLANK.match(line):
            break
    return "utf-8"


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name)
        if not getattr(found, "_is_text_encoding", True) or found.name in _NO_TEXT or found.name.startswith(("utf-16", "utf-32")):
            return "utf-8"
        b"a\xff".decode(name, "replace")
        codecs.getincrementaldecoder(name)
    except (LookupError, ValueError):
        return "utf-8"
    return found.name
