"""Text from scanned code made harmless for a terminal: control, bidi and invisible characters become visible escapes."""

from __future__ import annotations

import re
import unicodedata

from guardrails.files import show

_WORDS = re.compile(r"(?:`[^`]*`|[^\s`]|`)+")


def visible(text: str) -> str:
    """Text on one line in which nothing acts on a terminal and nothing hides; bytes that are no UTF-8 come as `\\xNN`."""
    return show(text)


def visible_code(text: str) -> str:
    """The same for a line of code, whose tabs stay."""
    return "\t".join(visible(part) for part in text.split("\t"))


def encodable(text: str) -> str:
    """Text without lone surrogates (they stand for undecodable bytes of a file name), which UTF-8 cannot carry."""
    return text if text.isascii() else "".join(show(char) if "\ud800" <= char <= "\udfff" else char for char in text)


def width(text: str) -> int:
    """Terminal cells of a text that is already visible."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrap(text: str, columns: int, first: str = "", rest: str = "") -> list[str]:
    """Prose in lines of at most `columns` cells, indented by `first` and then `rest`; what stands in backticks is not broken."""
    lines: list[str] = []
    line, lead = first, first
    for word in _WORDS.findall(visible(text)):
        if line != lead and width(line) + 1 + width(word) > columns:
            lines.append(line)
            line = lead = rest
        line += word if line == lead else f" {word}"
    return [*lines, line]
