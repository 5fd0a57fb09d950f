"""`--format json`. The structures below are the contract; `make generated` publishes `schema()` as guardrails/schemas/check.schema.json."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from guardrails import jsontext
from guardrails.finding import Confidence, Severity
from guardrails.report.safe import encodable
from guardrails.report.statistics import Statistics, counted
from guardrails.report.view import View
from guardrails.result import Found, Remark, Result, State


class Related(msgspec.Struct, frozen=True):
    """A secondary place of a finding, with its own words."""

    path: str
    line: int
    message: str


class Finding(msgspec.Struct, frozen=True):
    """Lines and columns count from 1, columns in Unicode code points, the end is exclusive. Findings with one `cause` (not "") are one.

    `state` is "" where nothing was compared.
    """

    rule: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    fix: str
    severity: Severity
    confidence: Confidence
    fingerprint: str
    cause: str
    related: tuple[Related, ...]
    state: State


class Unknown(msgspec.Struct, frozen=True):
    """A place where a rule could not tell; `rule` is "" where a search on which several rest stopped at a limit."""

    rule: str
    path: str
    line: int
    column: int
    message: str


class Unreadable(msgspec.Struct, frozen=True):
    """A file, or a part of one, that could not be read."""

    path: str
    line: int
    message: str


class Counts(msgspec.Struct, frozen=True):
    """What was looked at; `parsed` of the `files` held words of worker code, `ended` searches stopped at a limit."""

    files: int
    parsed: int
    jobs: int
    enqueues: int
    handlers: int
    schedules: int
    ended: int


class Comparison(msgspec.Struct, frozen=True):
    """What the findings were compared `against`, a baseline or the base of a change, and what came of it.

    `stale` are entries of the baseline that match nothing any more.
    """

    against: str
    new: int
    known: int
    stale: tuple[str, ...]


class Document(msgspec.Struct, frozen=True):
    """The result of `guardrails check --format json`. Paths are relative to the root, with `/`.

    `known` are the findings that are not new; `statistics` is null unless asked for. New keys may be added under version 1.
    """

    version: Literal[1]
    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]
    unreadable: tuple[Unreadable, ...]
    summary: Counts
    comparison: Comparison | None
    known: tuple[Finding, ...]
    statistics: Statistics | None


def render(result: Result, view: View) -> str:
    """The document, indented, ending in a newline."""
    return jsontext.dumps(document(result, view))


def document(result: Result, view: View) -> Document:
    """The result in the shape that is promised."""
    summary = result.summary
    return Document(
        version=1,
        findings=tuple(map(_finding, result.findings)),
        unknown=tuple(map(_unknown, result.unknown)),
        unreadable=tuple(Unreadable(one.path, one.line, one.message) for one in _related(result.unreadable)),
        summary=Counts(summary.files, summary.parsed, summary.jobs, summary.enqueues, summary.handlers, summary.schedules, summary.ended),
        comparison=_comparison(result),
        known=tuple(map(_finding, result.known)),
        statistics=counted(result, view.rules) if view.statistics else None,
    )


def _comparison(result: Result) -> Comparison | None:
    if not result.compared:
        return None
    stale = tuple(map(encodable, result.stale))
    return Comparison(encodable(result.compared), len(result.findings), len(result.known), stale)


def schema() -> dict[str, Any]:
    """The JSON schema of the document."""
    made = msgspec.json.schema(Document)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "guardrails check --format json", **made}


def _unknown(one: Remark) -> Unknown:
    return Unknown(one.rule, encodable(one.spot.path), one.spot.line, one.spot.column, encodable(one.message))


def _finding(found: Found) -> Finding:
    spot = found.spot
    return Finding(
        rule=found.rule,
        path=encodable(spot.path),
        line=spot.line,
        column=spot.column,
        end_line=spot.end_line,
        end_column=spot.end_column,
        message=encodable(found.message),
        fix=encodable(found.fix),
        severity=found.severity,
        confidence=found.confidence,
        fingerprint=encodable(found.fingerprint),
        cause=encodable(found.cause),
        related=tuple(_related(found.related)),
        state=found.state,
    )


def _related(remarks: Iterable[Remark]) -> Iterable[Related]:
    return (Related(encodable(one.spot.path), one.spot.line, encodable(one.message)) for one in remarks)
