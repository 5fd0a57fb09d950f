"""The places of a Markdown text where commands and paths are named: code spans, shell fences, links, imports of other files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

SHELLS = frozenset({"", "bash", "sh", "shell", "zsh", "console", "shell-session", "shellsession", "terminal"})
BEFORE, AFTER = 240, 120  # characters of prose around a place that are looked at

_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?P<marks>`{3,}|~{3,})(?P<info>[^`\n]*)$")
_FRONT = re.compile(r"\A(?:\xef\xbb\xbf)?---[ \t]*\r?\n(?:.*\r?\n)*?---[ \t]*(?:\r?\n|\Z)")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)([^\n]+?)(?<!`)\1(?!`)")
_LINK = re.compile(r"(?<!\\)\]\(<?(?P<target>[^()\s<>]+)>?(?:[ \t]+[\"'][^\"'\n]*[\"'])?\)")
_IMPORT = re.compile(r"(?:^|(?<=\s))@(?P<target>[\w.-]*(?:/[\w.-]+)*\.\w+)(?=[\s,;:)]|\.?$)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NEW = re.compile(r"\n[ \t>]*(?:\n|#|\||(?:[-*+]|\d+[.)])[ \t])")  # where another paragraph, list item or row begins


class Piece(msgspec.Struct, frozen=True):
    """A code span, the text of a shell fence, or the target of a link or import, with its offset and the prose around it."""

    kind: Literal["span", "shell", "link", "import"]
    text: str
    start: int
    before: str = ""
    after: str = ""


def pieces(text: str) -> Iterator[Piece]:
    """The places of a text in their order; front matter, comments and other fences are left out."""
    hidden = _FRONT.match(text)
    until = text.rfind("-->") + 1  # behind it no comment ends, and to look for an end from each beginning would take for ever
    text = _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text[: until + 2]) + text[until + 2 :] if until else text
    at = hidden.end() if hidden else 0
    fence, is_shell, opened = "", False, 0
    for line in text[at:].split("\n"):
        start, at = at, at + len(line) + 1
        found = _FENCE.match(line.rstrip("\r"))
        if fence:
            if found and found["marks"].startswith(fence) and not found["info"].strip():
                if is_shell:
                    yield Piece("shell", text[opened:start], opened)
                fence = ""
        elif found:
            words = found["info"].split()
            fence, is_shell, opened = found["marks"], (words[0].lower() if words else "") in SHELLS, at
        else:
            yield from _inline(text, line.rstrip("\r"), start)


def _inline(text: str, line: str, start: int) -> Iterator[Piece]:
    for span in _SPAN.finditer(line):
        yield _piece("span", text, span[2], start + span.start(2))
    bare = _SPAN.sub(lambda found: " " * len(found[0]), line)
    for found in _LINK.finditer(bare):
        yield _piece("link", text, found["target"], start + found.start("target"))
    for found in _IMPORT.finditer(bare):
        yield _piece("import", text, found["target"], start + found.start("target"))


def _piece(kind: Literal["span", "link", "import"], text: str, said: str, start: int) -> Piece:
    before = text[max(0, start - BEFORE) : start]
    last = max((found.start() for found in _NEW.finditer(before)), default=0)
    after = text[start + len(said) : start + len(said) + AFTER]
    first = _NEW.search(after)
    return Piece(kind, said, start, before[last:], after[: first.start() if first else None])
