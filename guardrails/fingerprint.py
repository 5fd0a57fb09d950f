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
    """The code of a span as its tokens: without comments (given by their spans), white space, trailing commas, quote style, the seams of
    texts that follow each other, and the parentheses that a formatter puts around a whole value or condition."""
    text = _without(source, start, end, comments).decode("utf-8", "surrogateescape")
    found: list[str] = []
    opened: list[tuple[int, bool]] = []  # of each open bracket: its place, and whether it stands around a whole value
    around, begins = (0, 0), False  # the last such pair, and whether a line begins
    text_at = -1  # where the last text stands
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "space":
            begins = begins or (match[0].strip("\\") == match[0] and "\n" in match[0])
            continue
        token = _plain(match[0]) if match.lastgroup == "string" else match[0]
        if around[1] == len(found) - 1 and (begins or token == ":"):
            _unwrap(found, around)
        begins = False
        if match.lastgroup == "string":
            if text_at == len(found) - 1 and (joined := _joined(found[-1] if found else "", token)):
                found[-1] = joined
                continue
            text_at = len(found)
        if token in ("(", "[", "{"):
            opened.append((len(found), token == "(" and not opened and _takes_value(found)))
        elif token == "," and opened:
            opened[-1] = (opened[-1][0], False)
        elif token in (")", "]", "}"):
            if found and found[-1] == ",":
                found.pop()
            if opened and (last := opened.pop())[1] and len(found) > last[0] + 1:
                around = (last[0], len(found))
        found.append(token)
    if around[1] == len(found) - 1:
        _unwrap(found, around)
    return " ".join(token for token in found if token)


def _joined(one: str, other: str) -> str:
    """Two plain texts that follow each other as one, empty where one of them is of another kind."""
    (first, _, start), (second, _, end) = one.partition('"'), other.partition('"')
    if {first, second} <= {"", "f"} and start.endswith('"') and end.endswith('"'):
        return f'{first or second}"{start[:-1]}{end}'
    return ""


def _takes_value(found: Sequence[str]) -> bool:
    """Whether a whole value or condition follows."""
    before, last = ["", "", *found][-2:]
    return last in ("return", "if", "elif", "while", "assert") or (last == "=" and before not in ("=", "!", "<", ">"))


def _unwrap(found: list[str], pair: tuple[int, int]) -> None:
    if pair[1]:
        found[pair[0]] = found[pair[1]] = ""


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
    if "f" in prefix.lower():
        body = body.replace("'", '"')  # the quotes of what stands in braces
    return f'{prefix.lower()}"{body}"'
