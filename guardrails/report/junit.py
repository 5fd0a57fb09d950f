"""`--format junit`: XML that test dashboards read. A finding is a failed case, one that is known or allowed a skipped one.

It holds no time and no host, so it is the same from run to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import msgspec

from guardrails.report.safe import visible
from guardrails.report.snippet import at_line, where
from guardrails.report.tally import in_short, unsaid
from guardrails.report.view import View
from guardrails.result import UNREADABLE, Found, Remark, Result


class Case(msgspec.Struct, frozen=True):
    """A test case as it will be told: `outcome` is an element's name, "" for a case that passed."""

    path: str
    name: str
    line: int = 0
    outcome: str = ""
    kind: str = ""
    message: str = ""
    details: str = ""


def render(result: Result, view: View) -> str:
    """One suite a file, ending in a newline."""
    cases = list(_cases(result)) or [Case("guardrails", "no unsafe worker code")]
    root = Element("testsuites", {"name": "guardrails", **_counts(cases)})
    for path in sorted({case.path for case in cases}):
        _suite(root, path, [case for case in cases if case.path == path])
    SubElement(root[0], "system-out").text = in_short(result)
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _cases(result: Result) -> Iterator[Case]:
    told = [_failed(found) for found in result.findings]
    told += [_unread(remark) for remark in unsaid(result)]
    told += [_skipped(found, f"known: {result.compared}") for found in result.known]
    told += [_skipped(one.found, f"allowed: {one.reason}") for one in result.allowed]
    taken: dict[tuple[str, str], int] = {}
    for case in told:
        number = taken[case.path, case.name] = taken.get((case.path, case.name), 0) + 1
        yield msgspec.structs.replace(case, name=f"{case.name} ({number})") if number > 1 else case


def _failed(found: Found) -> Case:
    return _case(found, "failure", found.severity, found.message, _details(found))


def _skipped(found: Found, why: str) -> Case:
    return _case(found, "skipped", "", why, "")


def _case(found: Found, outcome: str, kind: str, message: str, details: str) -> Case:
    spot, about = found.spot, visible(found.subject or found.scope)
    name = f"{visible(found.rule)}: {about}" if about else visible(found.rule)
    return Case(visible(spot.path), name, spot.line, outcome, kind, visible(message), details)


def _unread(remark: Remark) -> Case:
    path = visible(remark.spot.path)
    return Case(path, UNREADABLE, remark.spot.line, "error", "warning", visible(remark.message), visible(remark.message))


def _details(found: Found) -> str:
    """Where it stands, what to do, and the places that belong to it, a line each."""
    places = [f"{at_line(one.spot)}: {visible(one.message)}" for one in found.related]
    fix = [f"fix: {visible(found.fix)}"] if found.fix else []
    head = f"{where(found.spot)}: {visible(found.message)}"
    return "\n".join([head, *places, *fix, f"guardrails explain {visible(found.rule)}"])


def _suite(root: Element, path: str, cases: list[Case]) -> None:
    suite = SubElement(root, "testsuite", {"name": path, **_counts(cases)})
    for case in cases:
        place = {"file": path, "line": str(case.line)} if case.line > 0 else {}
        made = SubElement(suite, "testcase", {"classname": path, "name": case.name, "time": "0", **place})
        if case.outcome:
            kind = {"type": case.kind} if case.kind else {}
            SubElement(made, case.outcome, {"message": case.message, **kind}).text = case.details or None


def _counts(cases: Iterable[Case]) -> dict[str, str]:
    outcomes = [case.outcome for case in cases]
    counted = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    return {"tests": str(len(outcomes)), **{name: str(outcomes.count(one)) for name, one in counted.items()}, "time": "0"}
