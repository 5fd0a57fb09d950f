"""`--format gitlab`: the part of Code Climate's format that GitLab's code quality reads.

GitLab tells new findings from old ones by comparing fingerprints with the target branch's report, and drops all but one of equal ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, TypeAlias

from guardrails import jsontext
from guardrails.finding import Severity
from guardrails.fingerprint import LENGTH
from guardrails.report.safe import encodable, visible
from guardrails.report.tally import advised, unsaid
from guardrails.report.view import View
from guardrails.result import UNREADABLE, Found, Remark, Result, Spot

Json: TypeAlias = dict[str, Any]
SEVERITY: dict[Severity, str] = {"error": "critical", "warning": "major", "info": "info"}


def render(result: Result, view: View) -> str:
    """The list of findings, indented, ending in a newline."""
    return jsontext.dumps(list(_unique(_issues(result))))


def _issues(result: Result) -> Iterator[Json]:
    yield from map(_issue, result.findings)
    yield from map(_unread, unsaid(result))


def _issue(found: Found) -> Json:
    return _said(found.rule, advised(found), found.fingerprint, SEVERITY[found.severity], found.spot)


def _unread(remark: Remark) -> Json:
    return _said(UNREADABLE, remark.message, _hash(UNREADABLE, remark.spot.path, remark.message), SEVERITY["warning"], remark.spot)


def _said(rule: str, words: str, mark: str, severity: str, spot: Spot) -> Json:
    begin = max(spot.line, 1)
    return {
        "type": "issue",
        "check_name": rule,
        "description": visible(words),
        "categories": ["Bug Risk"],
        "severity": severity,
        "fingerprint": encodable(mark),
        "location": {"path": encodable(spot.path), "lines": {"begin": begin, "end": max(spot.end_line, begin)}},
    }


def _unique(issues: Iterator[Json]) -> Iterator[Json]:
    """The issues, each with a fingerprint of its own."""
    taken: set[str] = set()
    for issue in issues:
        mark, number = issue["fingerprint"], 1
        while issue["fingerprint"] in taken:
            number += 1
            issue["fingerprint"] = _hash(mark, str(number))
        taken.add(issue["fingerprint"])
        yield issue


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:LENGTH]
