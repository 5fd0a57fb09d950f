"""What a review is made of: findings as they are to be told, the comments that stand there, and what shall be done with them."""

from __future__ import annotations

from typing import Literal

import msgspec

from guardrails.result import Allowed, Found
from guardrails.review.hunks import Hunks

Closing = Literal["edit", "delete"]
Note = Literal["", "outside", "unsure", "many", "refused", "resolved"]  # why a finding has no open comment of its own


class Suggestion(msgspec.Struct, frozen=True):
    """Lines for the lines `start` to `end` (from 1, both inclusive) of the head. Not `safe`: what the code does changes."""

    start: int
    end: int
    lines: tuple[str, ...]
    safe: bool


class Told(msgspec.Struct, frozen=True):
    """A finding of the head, and how it could be mended there with a click."""

    found: Found
    suggestion: Suggestion | None = None


class Comment(msgspec.Struct, frozen=True):
    """A comment that stands on the pull request. `line` is None where it is outdated or about a whole file; `mine`: this tool's account
    wrote it."""

    id: int
    node_id: str
    path: str
    line: int | None
    body: str
    replied: bool = False
    resolved: bool = False
    mine: bool = True


class New(msgspec.Struct, frozen=True):
    """A comment to be made at the lines `start_line` (None: only one) to `line` of the head (None: about the whole file).

    `file_body` is its text where GitHub refuses the lines and it has to be about the file; `fingerprints` are those of what it tells.
    """

    path: str
    line: int | None
    body: str
    start_line: int | None = None
    file_body: str = ""
    fingerprints: tuple[str, ...] = ()


class Edit(msgspec.Struct, frozen=True):
    """A comment of ours that gets another text."""

    id: int
    body: str


class Limits(msgspec.Struct, frozen=True):
    """How much is said. `files` counts comments about whole files, each of which costs a request of its own; `letters` is the longest body.

    `closing` says what becomes of a comment whose finding is gone; `resolve` asks for its thread to be resolved, too.
    """

    comments: int = 30
    files: int = 2
    letters: int = 60_000
    closing: Closing = "edit"
    resolve: bool = False


class Web(msgspec.Struct, frozen=True):
    """Where the pull request is looked at, for links."""

    server: str
    repo: str
    number: int


class Context(msgspec.Struct, frozen=True):
    """What a review knows beside its findings.

    `allowed`: what allow comments silence that the change adds. `silenced`: fingerprints of all that allow comments silence. `unknown`
    counts the places that could not be judged. `from_head`: the base has no configuration, so the head's was used. `unread` are files
    of which nothing is known, so that silence about them means nothing. `notices` are sentences of our own.
    """

    web: Web | None = None
    allowed: tuple[Allowed, ...] = ()
    silenced: frozenset[str] = frozenset()
    unknown: int = 0
    from_head: bool = False
    unread: frozenset[str] = frozenset()
    notices: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """Findings of one cause, the gravest first, and why they have no open comment."""

    story: tuple[Found, ...]
    note: Note = ""


class Past(msgspec.Struct, frozen=True):
    """A finding that is gone: what it was, and the commit with which it went."""

    fingerprint: str
    rule: str
    path: str
    commit: str
    allowed: bool = False


class Overview(msgspec.Struct, frozen=True):
    """What the summary tells of the head: findings, what went since the first review, and what else is known."""

    rows: tuple[Row, ...]
    fixed: tuple[Past, ...]
    context: Context
    hunks: Hunks
    head: str
    letters: int


class Plan(msgspec.Struct, frozen=True):
    """What shall be done on the pull request: first the comments, then the summary.

    `create` go into one review, `to_file` are posted one by one; `delete` are ids of comments, `resolve` node ids of comments whose thread
    is done. `summary_body` is None where the summary stands as it should, or where there is nothing to say. `summary` is the
    one that stands there, and `spare` are others of ours, to be taken away.
    """

    create: tuple[New, ...]
    edit: tuple[Edit, ...]
    delete: tuple[int, ...]
    resolve: tuple[str, ...]
    to_file: tuple[New, ...]
    summary_body: str | None
    overview: Overview
    summary: Comment | None = None
    spare: tuple[int, ...] = ()

    @property
    def writes(self) -> int:
        """How many requests change something."""
        return (
            bool(self.create) + len((*self.edit, *self.delete, *self.resolve, *self.to_file, *self.spare)) + (self.summary_body is not None)
        )
