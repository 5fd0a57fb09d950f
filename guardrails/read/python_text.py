"""What Python's literals mean: the coding of a file, escapes in strings, numbers."""

from __future__ import annotations

import codecs
import re
import unicodedata
from math import isfinite

_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"[ \t\f]*(?:#.*)?\r?$")
_ESCAPE = re.compile(r"\\(\r\n|N\{[^}]*\}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMED = {"\n": "", "\r\n": "", "\r": "", "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r",
          "t": "\t", "v": "\v"}  # fmt: skip
_ASCII = bytes(range(32, 127)).replace(b"\\", b"")  # a backslash is not one in every coding


def coding_of(source: bytes) -> str:
    """The coding of a file by its byte order mark or its PEP 263 line; utf-8 where it names none that we know."""
    if source.startswith(codecs.BOM_UTF8):
        return "utf-8"
    for line in source[:1000].split(b"\n", 2)[:2]:
        if found := _CODING.match(line):
            return _known(found[1].decode("ascii", "replace"))
        if not _BLANK.match(line):
            break
    return "utf-8"


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name).name
        bytes(range(128, 256)).decode(found, "replace")
        return found if "escape" not in found and _ASCII.decode(found) == _ASCII.decode() else "utf-8"
    except Exception:  # a codec may raise what it likes, and some are no text at all
        return "utf-8"


def scrub(text: str) -> str:
    """Without lone surrogates, which no serialiser takes."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def identifier(text: str) -> str:
    """A name as Python compares it."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def unescape(body: str, binary: bool = False) -> str:
    """The text that a string's body stands for; an escape that Python does not know stays as it is."""
    return scrub(_ESCAPE.sub(_byte if binary else _character, body))


def _byte(found: re.Match[str]) -> str:
    return found[0] if found[1][0] in "NuU" else _character(found)


def _character(found: re.Match[str]) -> str:
    name = found[1]
    if name in _NAMED:
        return _NAMED[name]
    if len(name) == 1 and name not in "01234567":
        return found[0]
    if name[0] == "N":
        try:
            return unicodedata.lookup(name[2:-1])
        except KeyError:
            return found[0]
    code = int(name[1:], 16) if name[0] in "xuU" else int(name, 8)
    return chr(code) if code < 0x110000 else found[0]


def number(text: str) -> int | float | None:
    """A number's value. Whole ones beyond 64 bits become floats, which keeps their size; None for complex and infinite ones."""
    text = text.replace("_", "").lower()
    if text.endswith("j"):
        return None
    try:
        if not text.startswith("0x") and any(mark in text for mark in ".e"):
            return _finite(float(text))
        return _sized(_whole(text.rstrip("l")))
    except (ValueError, OverflowError):
        return None


def _whole(text: str) -> int:
    return int(text, 8) if text.isdigit() and text[0] == "0" and text.strip("0") else int(text, 0)


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _sized(value: int) -> int | float:
    return value if -(2**63) <= value < 2**64 else float(value)
