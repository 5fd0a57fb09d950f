"""Text from the code under review, made harmless for a comment: no mention, no link, no HTML and no command comes of it."""

from __future__ import annotations

import re
from urllib.parse import quote

from guardrails.report import markdown

_LIST = re.compile(r"\s*(?:[-+=:]|\d+[.)])")
_COMMANDS = re.compile(r"^(\s*):(?=:)|##(?=\[)", re.MULTILINE)


class Safe(str):
    """Markdown that may stand in a comment as it is."""

    __slots__ = ()


def words(text: str, most: int = 400) -> Safe:
    """Prose with `code` in it, on one line of at most `most` letters."""
    prose = cut(text.strip(), most)
    made = markdown.words(prose)
    if _LIST.match(made):
        made = re.sub(r"[-+=:.)]", lambda found: f"&#{ord(found[0])};", made, count=1)
    return Safe(made)


def code(text: str, most: int = 120) -> Safe:
    """A code span; the end of a long text is more telling than its beginning, as in paths."""
    short = text if len(text) <= most else f"…{text[-most + 1 :]}"
    return Safe(markdown.code(short) if short else "")


def cell(text: Safe) -> Safe:
    """The same in a table, where a bar would end the cell: in a code span only HTML can hold one, since entities stay as they are there."""
    return Safe(re.sub(r"(`+)(.+?)\1(?!`)", _barred, text) if "|" in text else text)


def link(text: Safe, address: str) -> Safe:
    """A link of ours."""
    return Safe(f"[{text}]({quote(address, safe='/:#?=&%')})")


def cut(text: str, most: int) -> str:
    """Text of at most `most` letters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def fence(lines: tuple[str, ...]) -> str:
    """A fence that no line can close."""
    return "`" * (max(3, *(len(run) + 1 for line in lines for run in re.findall(r"`+", line)), 0))


def printable(text: str) -> str:
    """Text for a log: no line of it is a command to the runner that keeps the log. (`##[` commands count anywhere in a line.)"""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _COMMANDS.sub(lambda found: f"{found[1]}: " if found[1] is not None else "## ", plain)


def _barred(span: re.Match[str]) -> str:
    inner = span[2]
    if "|" not in inner:
        return span[0]
    inner = inner[1:-1] if inner.startswith(" `") or inner.endswith("` ") else inner
    return f"<code>{markdown.plain(inner)}</code>"
