"""Bytes of a user's file as text, and back without the loss of one: BOM, encoding, line ends, bytes that are wrong in it."""

from __future__ import annotations

import codecs

import msgspec

_MARKED = (  # the longer mark first: one begins with the other
    (codecs.BOM_UTF8, "utf-8", "surrogateescape"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "surrogatepass"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "surrogatepass"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "surrogatepass"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "surrogatepass"),
)


class Coding(msgspec.Struct, frozen=True):
    """How a file is written down: its byte order mark, its encoding, and what stands for bytes that are wrong in it."""

    mark: bytes = b""
    name: str = "utf-8"
    errors: str = "surrogateescape"

    def bytes_of(self, text: str) -> bytes:
        """The text as the file's bytes."""
        return self.mark + text.encode(self.name, self.errors)


def decode(data: bytes) -> tuple[Coding, str] | None:
    """The coding and text of a file; None for one that is no text, or that would not come back as the same bytes."""
    coding = next((Coding(*marked) for marked in _MARKED if data.startswith(marked[0])), Coding())
    try:
        text = data[len(coding.mark) :].decode(coding.name, coding.errors)
        same = coding.bytes_of(text) == data
    except UnicodeError:
        return None
    return (coding, text) if same and "\0" not in text else None


def line_end(text: str) -> str:
    """The line end that most lines of a text have; LF where they have none."""
    windows = text.count("\r\n")
    return "\r\n" if windows > text.count("\n") - windows else "\n"
