"""The hidden lines at the top of our comments, by which the next run knows what they tell.

A body begins with them, and only there they are read: nothing that a comment quotes from the code under review can pass for one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Literal
from urllib.parse import quote, unquote

import msgspec

from guardrails.result import Found

HEAD = "<!-- guardrails:v1 "
SUMMARY = f"{HEAD}summary -->\n"
LONGEST = 300  # bytes of a path or scope; a longer one is left out, and its renames are not followed
MOST = 50  # other findings of one cause

State = Literal["", "fixed", "allowed", "refused"]
_OFFSET = re.compile(r":\d+$")
_LINE = re.compile(r"<!-- guardrails:v1((?: [a-z]+=[^\s<>=]*)+) -->")
_STATES: tuple[State, ...] = ("", "fixed", "allowed", "refused")


class Mark(msgspec.Struct, frozen=True):
    """One finding that a comment tells.

    `key` is the digest of what is fingerprinted beside rule, path and scope, `cause` that of its cause; `also` are fingerprints of others
    with its cause. `state` says what became of it, with `commit`, or `line` where it was refused. `whole`: the comment is about a file.
    """

    fp: str
    rule: str = ""
    path: str = ""
    scope: str = ""
    key: str = ""
    cause: str = ""
    also: tuple[str, ...] = ()
    state: State = ""
    commit: str = ""
    line: str = ""
    whole: bool = False

    @property
    def closed(self) -> bool:
        """It was told, and is gone."""
        return self.state in ("fixed", "allowed")


def of(found: Found, also: Iterable[Found] = ()) -> Mark:
    """The mark of a finding, with others of its cause."""
    others = tuple(one.fingerprint for one in also)[:MOST]
    return Mark(found.fingerprint, found.rule, _short(found.spot.path), _short(found.scope), key_of(found), cause_of(found), others)


def key_of(found: Found) -> str:
    """The digest of what a finding is known by beside rule, path and scope."""
    return _digest(found.key)


def cause_of(found: Found) -> str:
    """The digest of a finding's cause, "" where it has none, or one that is known by its offset: the next push has another there."""
    return _digest(f"{found.rule}\0{found.cause}") if found.cause and not _OFFSET.search(found.cause) else ""


def write(marks: Iterable[Mark]) -> str:
    """A line a mark, each with its line end."""
    return "".join(f"{HEAD}{' '.join(_pairs(mark))} -->\n" for mark in marks)


def read(body: str) -> tuple[Mark, ...]:
    """The marks at the top of a body; none where it is not ours."""
    return tuple(mark for line in _top(body) if line != SUMMARY.strip() and (mark := _mark(line)) is not None)


def is_summary(body: str) -> bool:
    """Whether it is the summary."""
    return next(iter(_top(body)), "") == SUMMARY.strip()


def _top(body: str) -> Iterator[str]:
    for line in body.split("\n"):
        if not line.startswith(HEAD):
            return
        yield line.strip()


def _mark(line: str) -> Mark | None:
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    said = {name: unquote(value, errors="surrogateescape") for name, _, value in (pair.partition("=") for pair in match[1].split())}
    state = next((one for one in _STATES if one == said.get("state", "")), None)
    if not said.get("fp") or state is None:
        return None
    words = {name: said.get(name, "") for name in ("fp", "rule", "path", "scope", "key", "cause", "commit", "line")}
    return Mark(**words, also=tuple(filter(None, said.get("also", "").split(","))), state=state, whole="whole" in said)


def _pairs(mark: Mark) -> Iterator[str]:
    for name in mark.__struct_fields__:
        value = getattr(mark, name)
        text = ",".join(value) if isinstance(value, tuple) else "yes" if value is True else value
        if text:
            # two hyphens could end the comment
            yield f"{name}={quote(text, safe='/,', errors='surrogateescape').replace('--', '-%2D')}"


def _short(text: str) -> str:
    return text if len(text.encode("utf-8", "surrogateescape")) <= LONGEST else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
