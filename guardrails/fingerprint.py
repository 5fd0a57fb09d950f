"""What a finding is known by from run to run: never its line, nothing that a formatter changes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

LENGTH = 24  # hexadecimal digits

_TOKEN = re.compile(
    r"""
    (?P<space>\\\r?\n|\s+)
  | (?P<string>[rRbBuUfFtT]{0,2}
        (?:\"{3}(?:\\.|[^\\])*?(?:\"{3}|\Z) | '{3}(?:\\.|[^\\])*?(?:'{3}|\Z) | "(?:\\.|[^"\\\n])*+"? | '(?:\\.|[^'\\\n])*+'?))
  | (?P<word>\w+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"(\w*)(\"{3}|'{3}|\"|')(.*)\2\Z", re.DOTALL)
_ESCAPED_QUOTE = re.compile(r"\\(?:([\"'])|(.))", re.DOTALL)


def make(rule: str, path: str, scope: str, key: str, occurrence: int) -> str:
    """The fingerprint: `key` is the subject where there is one, else the `tokens` of the anchored code; `occurrence` counts from 0."""
    text = "\0".join((rule, path, scope, key, str(occurrence)))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:LENGTH]


def tokens(source: bytes, start: int, end: int, comments: Iterable[tuple[int, int]] = ()) -> str:
    """The code of a span as its tokens: without comments (given by their spans), white space, trailing commas and quote style."""
    text = _without(source, start, end, comments).decode("utf-8", "surrogateescape")
    found: list[str] = []
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "space":
            continue
        token = _plain(match[0]) if match.lastgroup == "string" else match[0]
        if token in (")", "]", "}") and found and found[-1] == ",":
            found.pop()
        found.append(token)
    return " ".join(found)


def occurrences(keys: Sequence[object]) -> list[int]:
    """For each key, how many equal ones stand before it."""
    seen: dict[object, int] = {}
    numbers = []
    for key in keys:
        numbers.append(seen.get(key, 0))
        seen[key] = numbers[-1] + 1
    return numbers


def _without(source: bytes, start: int, end: int, comments: Iterable[tuple[int, int]]) -> bytes:
    parts, at = [], start
    for first, last in sorted(comments):
        if at <= first < end:
            parts.append(source[at:first])
            at = max(at, last)
    parts.append(source[at:end])
    return b" ".join(parts)


def _plain(string: str) -> str:
    """A string without its quote style: prefix in lower case, one kind of quote, no escape that only the quote asked for."""
    match = _QUOTED.match(string)
    if not match:
        return string
    prefix, _, body = match.groups()
    if "r" not in prefix.lower():
        body = _ESCAPED_QUOTE.sub(lambda found: found[1] or found[0], body)
    return f'{prefix.lower()}"{body}"'
