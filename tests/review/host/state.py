"""What the fake GitHub remembers. Places of comments are computed from git at the moment of asking."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .clock import Clock
from .diff import Change, changes, git, merge_base, moved

WRITE = {"contents": "read", "pull_requests": "write"}
READ = {"contents": "read", "pull_requests": "read"}


@dataclass(frozen=True)
class Actor:
    """Who speaks; `kind` is User or Bot."""

    login: str
    id: int
    kind: str = "User"


ACTIONS = Actor("github-actions[bot]", 41898282, "Bot")
OCTOCAT = Actor("octocat", 583231)


@dataclass
class Token:
    """A token: whose it is and what it may do. `installation`: of an App or an Action, not of a person."""

    actor: Actor
    rights: dict[str, str]
    installation: bool = True

    def may(self, need: str) -> bool:
        """Whether one of `right=level|right=level` is given."""
        return not need or any(self._has(*one.split("=")) for one in need.split("|"))

    def _has(self, right: str, level: str) -> bool:
        return self.rights.get(right) in ("write", level)


def node(kind: str, number: int) -> str:
    """A node id as GitHub makes them: opaque, but telling to us."""
    return f"{kind}_{base64.urlsafe_b64encode(f'{kind}{number}'.encode()).decode().rstrip('=')}"


@dataclass
class Comment:
    """A review comment, as it was made. `base` and `commit`: the two ends of the change at that time."""

    id: int
    user: Actor
    body: str
    path: str
    base: str
    commit: str
    review: int
    created: str
    side: str = "RIGHT"
    line: int | None = None
    start_line: int | None = None
    start_side: str | None = None
    position: int | None = None
    hunk: str = ""
    subject: str = "line"
    reply_to: int | None = None
    thread: int = 0
    updated: str = ""
    minimized: str | None = None

    @property
    def node_id(self) -> str:
        return node("PRRC", self.id)


@dataclass
class Thread:
    """Comments below each other; `id` is that of the first."""

    id: int
    resolved_by: Actor | None = None

    @property
    def node_id(self) -> str:
        return node("PRRT", self.id)

    @property
    def resolved(self) -> bool:
        return self.resolved_by is not None


@dataclass
class Review:
    id: int
    user: Actor
    body: str
    state: str
    commit: str
    submitted: str | None


@dataclass
class IssueComment:
    id: int
    user: Actor
    body: str
    created: str
    updated: str
    minimized: str | None = None

    @property
    def node_id(self) -> str:
        return node("IC", self.id)


@dataclass
class CheckRun:
    id: int
    name: str
    head: str
    started: str
    status: str = "queued"
    conclusion: str | None = None
    completed: str | None = None
    output: dict[str, Any] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    details_url: str | None = None
    external_id: str = ""


@dataclass
class Pull:
    """A pull request; `base` and `head` are commits of the local repository."""

    repo: Path
    number: int
    base: str
    head: str
    base_ref: str = "main"
    head_ref: str = "change"
    author: Actor = OCTOCAT
    fork: str = ""  # OWNER/NAME of the head's repository, if it is another
    fork_deleted: bool = False
    draft: bool = False
    closed: bool = False
    merged: bool = False
    locked: bool = False
    title: str = "A change"
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    threads: dict[int, Thread] = field(default_factory=dict)
    issue_comments: list[IssueComment] = field(default_factory=list)
    pushes: list[str] = field(default_factory=list)

    @property
    def parted(self) -> str:
        """The commit at which the change left its base."""
        return merge_base(self.repo, self.base, self.head)

    @property
    def changes(self) -> tuple[Change, ...]:
        return changes(self.repo, self.parted, self.head)

    def change(self, path: str) -> Change | None:
        """The file of that (new) name, if the change has it."""
        return next((one for one in self.changes if one.path == path), None)

    def line(self, comment: Comment) -> tuple[int | None, int | None, int | None]:
        """Where a comment stands now: position, line, start line; all None where it is outdated (or on the file)."""
        change = self.change(comment.path)
        if change is None or comment.line is None:
            return (1 if change is not None else None), None, None
        old, new = (comment.base, self.parted) if comment.side == "LEFT" else (comment.commit, self.head)
        name = change.old if comment.side == "LEFT" else comment.path
        line = moved(self.repo, old, new, name, comment.line)
        row = change.at(line, comment.side) if line is not None else None
        start = moved(self.repo, old, new, name, comment.start_line) if comment.start_line else None
        if row is None or (comment.start_line and start is None):
            return None, None, None
        return row.position, line, start

    def outdated(self, comment: Comment) -> bool:
        return self.line(comment)[0] is None

    def pending(self) -> set[int]:
        """Reviews that nobody but their author sees."""
        return {one.id for one in self.reviews if one.state == "PENDING"}

    def visible(self) -> list[Comment]:
        """Comments of reviews that were sent."""
        pending = self.pending()
        return [one for one in self.comments if one.review not in pending]

    def of_thread(self, thread: Thread) -> list[Comment]:
        return [one for one in self.visible() if one.thread == thread.id]


@dataclass
class State:
    """Everything on the server."""

    repo: Path
    name: str
    clock: Clock
    private: bool = False
    pulls: dict[int, Pull] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    checks: dict[int, CheckRun] = field(default_factory=dict)
    sarifs: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted: list[Comment | IssueComment] = field(default_factory=list)
    apps: dict[int, Any] = field(default_factory=dict)
    url: str = ""
    resolvable: bool | None = None  # whether threads may be resolved; None: with `contents=write`
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1001))
    limit: int = 5000
    used: int = 0
    short: int = 0  # items that each page of a list lacks
    reset: float = 0.0

    def tree(self, ref: str) -> bytes:
        return git(self.repo, "ls-tree", "-r", "-l", ref)

    def all_comments(self) -> Iterator[tuple[Pull, Comment]]:
        for pull in self.pulls.values():
            yield from ((pull, one) for one in pull.comments)

    def all_issue_comments(self) -> Iterator[tuple[Pull, IssueComment]]:
        for pull in self.pulls.values():
            yield from ((pull, one) for one in pull.issue_comments)
