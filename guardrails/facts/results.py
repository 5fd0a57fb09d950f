"""Waiting for another job."""

from __future__ import annotations

from guardrails.facts import Fact, Setting


class JobWait(Fact, frozen=True, kw_only=True):
    """A call, or a loop, that waits until another job is done: `limit` in seconds or NEVER; `how` says it in words.

    `doubt` says why it may be no wait at all.
    """

    call: str
    how: str
    limit: Setting
    fix: str = ""
    doubt: str = ""
