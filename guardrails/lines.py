"""Byte offsets to lines and columns: both from 1, columns in code points, whatever the encoding and the line ends."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right

from guardrails.result import Spot

_BREAK = re.compile(rb"\r\n|\n|\r")
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")


class Lines:
    """The lines of one file. A byte order mark is no column; bytes that are wrong in the file's encoding count as one column each."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.starts = [0, *(match.end() for match in _BREAK.finditer(source))]
        self.encoding = encoding_of(source)
        self._mark = len(codecs.BOM_UTF8) if source.startswith(codecs.BOM_UTF8) else 0

    def position(self, offset: int) -> tuple[int, int]:
        """(line, column) of a byte offset; of one behind the end, the end's."""
        offset = max(self._mark, min(offset, len(self.source)))
        line = bisect_right(self.starts, offset)
        start = max(self.starts[line - 1], self._mark)
        return line, len(self.decode(self.source[start:offset])) + 1

    def spot(self, path: str, start: int, end: int) -> Spot:
        """The lines and columns of a span."""
        return Spot(path, *self.position(start), *self.position(max(start, end)))

    def span(self, line: int) -> tuple[int, int]:
        """Byte offsets of a line (from 1), with its line end."""
        return self.starts[line - 1], self.starts[line] if line < len(self.starts) else len(self.source)

    def line_of(self, offset: int) -> int:
        """The line (from 1) that a byte offset stands in."""
        return bisect_right(self.starts, offset)

    def decode(self, data: bytes) -> str:
        """Bytes of the file as text; wrong ones become one character each."""
        errors = "surrogateescape" if self.encoding in ("utf-8", "ascii") else "replace"
        return data.decode(self.encoding, errors)


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
    except LookupError:
        return "utf-8"
    return found.name if getattr(found, "_is_text_encoding", True) and not found.name.startswith(("utf-16", "utf-32")) else "utf-8"
