"""What a run of the linter hands to the reports: findings with lines and columns, and what was looked at.

Lines and columns count from 1; columns are Unicode code points, the end column is exclusive. Paths are relative to the root, with `/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from guardrails.finding import Confidence, Repair, Severity
from guardrails.inventory import Inventory
from guardrails.place import Spot as Spot

UNREADABLE = "unreadable-file"  # the rule of files that could not be read


State = Literal["", "new", "unchanged"]


class Remark(msgspec.Struct, frozen=True):
    """A secondary place with its own words, or a place where a rule could not tell (`rule` then names it)."""

    spot: Spot
    message: str
    rule: str = ""


class Found(msgspec.Struct, frozen=True):
    """A finding as it is told: rule page applied, place resolved, fingerprint made.

    `key` is what the fingerprint is made of beside rule, path and scope: the subject, else the tokens of the anchored code. `state`
    says how it compares with a baseline or the base of a change, "" where nothing was compared.
    """

    rule: str
    spot: Spot
    message: str
    fix: str
    severity: Severity
    confidence: Confidence
    fingerprint: str
    scope: str = ""
    subject: str = ""
    cause: str = ""
    related: tuple[Remark, ...] = ()
    key: str = ""
    state: State = ""
    repair: Repair | None = None
    framework: str = ""


class Allowed(msgspec.Struct, frozen=True):
    """A finding that an allow comment covers, with the reason that was given."""

    found: Found
    reason: str


class Summary(msgspec.Struct, frozen=True):
    """What was looked at. `parsed` of the `files` held words that matter; `passed_over` says why files were not looked at.

    `limits` counts the jobs that are `limited`, `endless` (no time limit) and `unknown`.
    """

    files: int = 0
    parsed: int = 0
    jobs: int = 0
    enqueues: int = 0
    handlers: int = 0
    schedules: int = 0
    spawns: int = 0
    frameworks: tuple[str, ...] = ()
    passed_over: Mapping[str, int] = {}
    looked_for: tuple[str, ...] = ()
    limits: Mapping[str, int] = {}
    ended: int = 0  # searches that stopped at a limit


class Result(msgspec.Struct, frozen=True):
    """One run. `sources` holds the bytes of every file that a finding or remark stands in.

    `known` are findings that are not told because they are not new: a baseline holds them, or the base of the change has them, too;
    `compared` names that baseline or base, "" for none. `stale` says what a baseline holds and nothing matches any more.
    `inventory` is None where nobody asked for it.
    """

    findings: tuple[Found, ...]
    unknown: tuple[Remark, ...]
    unreadable: tuple[Remark, ...]
    allowed: tuple[Allowed, ...]
    summary: Summary
    sources: Mapping[str, bytes]
    known: tuple[Found, ...] = ()
    compared: str = ""
    stale: tuple[str, ...] = ()
    inventory: Inventory | None = None
