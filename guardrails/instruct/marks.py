"""The marker lines that say which part of a file is ours: a block from `begin` to `end`, or, with `file`, the whole of it.

`<!-- guardrails:begin id=worker v=1 sha=0123456789ab -->`, as a `#` comment in YAML. `sha` is of what the block says. Two more words
stand only where `--remove` needs them: `gap=N` in a block that was added to a file (N line ends before it are ours, too), and
`keep=N` where the first N folders of the path were there, empty, before us.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Literal

import msgspec

VERSION = 1
Word = Literal["begin", "end", "file"]
HASHED = (".yml", ".yaml", ".toml")  # files whose comments begin with #

_LOOSE = re.compile(
    r"^[ \t]*(?:<!-*[ \t]*guardrails:[ \t]*(?:begin|end|file)\b|#+[ \t]*guardrails:(?:begin|end|file)[ \t]+id\b)[^\n]*\n?", re.M
)
_COMMENT = re.compile(r"[ \t]*(?:<!-- (?P<html>[^\n]*) -->|# (?P<hash>[^\n]*?))[ \t\r]*\n?")
_WORDS = re.compile(
    r"guardrails:(?:end|(?P<word>begin|file)) id=(?P<id>[A-Za-z0-9][\w./-]*)"
    r"(?(word) v=(?P<version>\d{1,6}) sha=(?P<sha>[0-9a-f]{12})(?: gap=(?P<gap>\d))?(?: keep=(?P<keep>\d))?)",
    re.ASCII,
)


class Broken(Exception):
    """Markers that nobody can tell the meaning of; the message says where and why."""


class Mark(msgspec.Struct, frozen=True):
    """One marker line, from `start` to `stop` with its line end. `gap` is None in a file that we made."""

    word: Word
    id: str
    version: int = VERSION
    sha: str = ""
    gap: int | None = None
    keep: int = 0
    start: int = 0
    stop: int = 0
    number: int = 0

    def line(self, path: str) -> str:
        """The marker as it stands in a file of this name, without its line end."""
        parts = [f"guardrails:{self.word} id={self.id}"]
        if self.word != "end":
            parts.append(f"v={self.version} sha={self.sha}")
        parts += [f"{name}={value}" for name, value in (("gap", self.gap), ("keep", self.keep or None)) if value is not None]
        words = " ".join(parts)
        return f"# {words}" if path.endswith(HASHED) else f"<!-- {words} -->"


def marks(text: str) -> Iterator[Mark]:
    """The markers of a text in their order. Raises `Broken` for a line that would be one and is not."""
    for found in _LOOSE.finditer(text):
        number = text.count("\n", 0, found.start()) + 1
        comment = _COMMENT.fullmatch(found.group())
        words = _WORDS.fullmatch(comment["html"] or comment["hash"]) if comment is not None else None
        if words is None:
            raise Broken(f"the guardrails marker in line {number} is broken")
        yield _mark(words, found.start(), found.end(), number)


def _mark(words: re.Match[str], start: int, stop: int, number: int) -> Mark:
    if words["word"] is None:
        return Mark("end", words["id"], start=start, stop=stop, number=number)
    if int(words["version"]) > VERSION:
        raise Broken(f"the guardrails marker in line {number} was written by a newer version of guardrails")
    gap = None if words["gap"] is None else int(words["gap"])
    word: Word = "file" if words["word"] == "file" else "begin"
    return Mark(word, words["id"], int(words["version"]), words["sha"], gap, int(words["keep"] or 0), start, stop, number)


def sha(body: str) -> str:
    """Twelve hex digits for what a block says."""
    return hashlib.sha256(said(body).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def said(body: str) -> str:
    """A body with line ends of LF and no blank lines around it: what is compared, as tools change the rest."""
    return body.replace("\r\n", "\n").strip("\n")
