"""What the reviewer needs of the place where a pull request stands, and what goes wrong there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from guardrails.review.hunks import Changed
from guardrails.review.told import Comment, New

TRIES = 3  # after answers that were lost
PAUSE = 2.0  # seconds before the second try; twice as many before the third


class HostError(Exception):
    """The host did not do what was asked; the message is one sentence with a remedy."""


class ForbiddenError(HostError):
    """The token has no right to this."""


class MissingError(HostError):
    """There is no such thing, or the token may not see it."""


class RefusedError(HostError):
    """The host takes no comment at this place, which it does not show (422)."""


class LostError(HostError):
    """No answer that says anything: the request may have been done, or not."""


class LimitedError(HostError):
    """Too many requests: `seconds` to wait before the next."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class MovedError(Exception):
    """The pull request has another head by now, or is closed; a review of the old one is stopped."""


class Pull(msgspec.Struct, frozen=True):
    """A pull request as it is now. `base` and `head` are commits; `fork`: the head's repository is another one, or gone; `files` counts
    what it changes, -1 where that is not known."""

    number: int
    base: str
    head: str
    is_open: bool = True
    draft: bool = False
    fork: bool = False
    files: int = -1


class Run(msgspec.Struct, frozen=True):
    """A finished workflow run: the repository (OWNER/NAME), branch and commit that it ran for. All of it comes from GitHub."""

    repo: str
    branch: str
    head: str


class Said(msgspec.Struct, frozen=True):
    """What stands on a pull request: all inline and file comments, and our summary, None where there is none.

    `spare` are further summaries of ours, of two runs at the same time.
    """

    comments: tuple[Comment, ...]
    summary: Comment | None
    spare: tuple[int, ...] = ()


class Host(Protocol):
    """A pull request on a host. Everything raises `HostError`, and waits by itself where the host asks for patience."""

    def pull(self) -> Pull:
        """The pull request now. `MissingError` for an unknown one."""

    def files(self) -> Sequence[Changed]:
        """The files of the change, with patches where the host gives them."""

    def said(self) -> Said:
        """The comments that stand there."""

    def review(self, head: str, comments: Sequence[New]) -> str:
        """Posts comments at lines as one review; its address. `RefusedError` if one of them is at a bad place, and then none is there."""

    def comment(self, head: str, new: New) -> str:
        """Posts a comment at lines, or about a file; its address."""

    def edit(self, comment: int, body: str) -> None:
        """Gives a comment another text."""

    def delete(self, comment: int) -> None:
        """Takes a comment away."""

    def resolve(self, node: str) -> None:
        """Resolves the thread of a comment. `ForbiddenError` where the token may not."""

    def say(self, body: str) -> str:
        """Posts the summary; its address."""

    def say_again(self, comment: int, body: str) -> str:
        """Gives the summary another text; its address."""

    def unsay(self, comment: int) -> None:
        """Takes a summary away."""

    def upload(self, head: str, sarif: str) -> None:
        """Hands a SARIF report to code scanning."""


class Clock(Protocol):
    """Seconds since 1970, and patience."""

    def now(self) -> float:
        """Seconds since 1970."""

    def sleep(self, seconds: float) -> None:
        """Waits."""
