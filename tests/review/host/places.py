"""Whether a comment can stand where it is asked for, and in which words GitHub refuses."""

from __future__ import annotations

from typing import Any

from .diff import Change, Row, belongs, changes
from .state import Actor, Comment, Pull, State

LONG = 65_536
LINE = "line must be part of the diff"
HUNK = "diff hunk can't be blank"
START = "start line must be part of the same hunk as the line."
ORDER = "start line must precede the end line."
PATH = "path is invalid"


def refusals(pull: Pull, asked: dict[str, Any], commit: str) -> list[str]:
    """Why GitHub does not take a comment at this place; empty: it does."""
    change = find(pull, asked.get("path", ""), commit)
    if change is None:
        return [PATH, HUNK]
    if asked.get("subject_type") == "file":
        return []
    row = row_of(change, asked)
    if row is None:
        return [LINE, *([START] if asked.get("start_line") else []), HUNK]
    return start_refusals(change, asked, row)


def start_refusals(change: Change, asked: dict[str, Any], row: Row) -> list[str]:
    """The first line of several: above the last one, in the same hunk."""
    if (first := asked.get("start_line")) is None:
        return []
    side = asked.get("start_side") or asked.get("side") or "RIGHT"
    start = change.at(first, side)
    if start is None or start.hunk != row.hunk:
        return [START]
    return [] if start.position < row.position else [ORDER]


def find(pull: Pull, path: str, commit: str) -> Change | None:
    """The file in the change up to that commit."""
    known = pull.changes if commit == pull.head else changes(pull.repo, pull.parted, commit)
    return next((one for one in known if one.path == path), None)


def row_of(change: Change, asked: dict[str, Any]) -> Row | None:
    """The row of the patch that is meant, by line or by the older position."""
    if change.patch is None:
        return None
    if (position := asked.get("position")) is not None:
        return next((row for row in change.rows if row.position == position), None)
    return change.at(asked.get("line", 0), asked.get("side") or "RIGHT")


def is_of(pull: Pull, commit: str) -> bool:
    """Whether a commit is the head or another commit of the pull request."""
    return commit == pull.head or belongs(pull.repo, commit, pull.parted, pull.head)


def made(state: State, pull: Pull, user: Actor, asked: dict[str, Any], commit: str, review: int) -> Comment:
    """A comment at a place that was found good."""
    number = next(state.ids)
    now = state.clock.text()
    comment = Comment(number, user, asked["body"], asked["path"], pull.parted, commit, review, now, updated=now, thread=number)
    change = find(pull, asked["path"], commit)
    assert change is not None
    if asked.get("subject_type") == "file":
        comment.subject, comment.position = "file", 1
        return comment
    row = row_of(change, asked)
    assert row is not None
    comment.side = asked.get("side") or ("LEFT" if row.right is None else "RIGHT")
    comment.line = row.left if comment.side == "LEFT" else row.right
    comment.position, comment.hunk = row.position, change.excerpt(row)
    comment.start_line = asked.get("start_line")
    comment.start_side = (asked.get("start_side") or comment.side) if comment.start_line else None
    return comment
