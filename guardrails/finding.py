"""What a check says: a finding, or that it could not tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from guardrails.place import Place

Severity = Literal["error", "warning", "info"]
Confidence = Literal["high", "medium", "low"]
How = Literal["after_commit", "argument", "attribute", "compared", "entries", "kept", "masked", "replaced", "row"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
CONFIDENCES: tuple[Confidence, ...] = ("high", "medium", "low")


class Related(msgspec.Struct, frozen=True):
    """A secondary place of a finding, with its own words."""

    place: Place
    message: str


class Repair(msgspec.Struct, frozen=True):
    """How a finding can be mended by machine: `how` names a module of `guardrails.fix`, `at` is the code to change, `values` what it needs.

    `needs` is an import ("" for none) whose local name stands for `$` in the values. `safe`: what the code does stays the same but for
    the fault; other repairs are made on `--unsafe` only.
    """

    how: How
    at: Place
    values: Mapping[str, str] = {}
    safe: bool = False
    needs: str = ""


class Finding(msgspec.Struct, frozen=True):
    """One fault: `message` is one sentence (who, what, why it hurts), `fix` one sentence.

    `severity` and `confidence` are None where the rule page's own hold. `scope` is the qualified name around the place;
    `subject` (job, enqueue target, setting) keys the fingerprint, else the anchored text does; findings with one `cause` are one cause.
    `framework` is that of the fact, in words.
    """

    rule: str
    place: Place
    message: str
    fix: str
    scope: str = ""
    subject: str = ""
    cause: str = ""
    severity: Severity | None = None
    confidence: Confidence | None = None
    related: tuple[Related, ...] = ()
    repair: Repair | None = None
    framework: str = ""


class Unsure(msgspec.Struct, frozen=True):
    """A place where a rule could not tell: silent by default, counted, listed by `--show-unknown`.

    `rule` is "" where a search on which several rules rest stopped at a limit.
    """

    rule: str
    place: Place
    message: str
