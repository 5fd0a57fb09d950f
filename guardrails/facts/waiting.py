"""Calls that wait for somebody else, and what ends them."""

from __future__ import annotations

from guardrails.facts import Fact, Setting
from guardrails.finding import Related, Repair


class Wait(Fact, frozen=True, kw_only=True):
    """A call that waits: `limit` in seconds or NEVER, effective; `fix` says how this library limits a call.

    `kind`: network, subprocess, mail, lock, queue, event, result, join, database, llm, git. `cause`: what waits that share a maker or a
    setting have in common, `made` the maker. `inferred`: callers decide, and those that are known give no limit. `weak`: it nearly always
    ends by itself. `rare`: it stands where an exception was caught. `streamed`: what it waits for hands on what it says bit by bit.
    """

    kind: str
    call: str
    limit: Setting
    fix: str = ""
    cause: str = ""
    made: tuple[Related, ...] = ()
    inferred: bool = False
    debugging: bool = False
    weak: bool = False
    repair: Repair | None = None
    rare: bool = False
    streamed: bool = False


class Deadline(Fact, frozen=True, kw_only=True):
    """What ends everything that waits inside `place`."""
