"""Time that only moves when it is told to."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970. `sleep` is what a test gives to the code that would sleep; it keeps how long that was.

    It begins with the real time, as PyGithub compares some of GitHub's answers with that.
    """

    def __init__(self, at: float | None = None) -> None:
        self.at = time.time() if at is None else at
        self.slept: list[float] = []

    def now(self) -> float:
        """Seconds since 1970."""
        return self.at

    time = now  # it can stand in for the module of that name

    def sleep(self, seconds: float) -> None:
        """Time goes on by that much, at once."""
        self.slept.append(seconds)
        self.at += seconds

    def text(self) -> str:
        """As GitHub writes it."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
