"""`--format sarif`: SARIF 2.1.0 for code scanning and editors.

It names no path of this machine and no time, so it is the same from run to run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

import guardrails
from guardrails import jsontext
from guardrails.finding import Severity
from guardrails.report.safe import encodable
from guardrails.report.tally import advised
from guardrails.report.view import View, first_sentence
from guardrails.result import UNREADABLE, Allowed, Found, Remark, Result, Spot
from guardrails.rulebook import Rule

Json: TypeAlias = dict[str, Any]
LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}
PROBLEM: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "recommendation"}  # GitHub's words
ROOT = "SRCROOT"
_LINK = re.compile(r"\[(?=[^\[\]]*\]\()")


def render(result: Result, view: View) -> str:
    """One run, indented, ending in a newline."""
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run(result, view)],
    }
    return jsontext.dumps(log)


def run(result: Result, view: View) -> Json:
    """The only run of the log."""
    names = rule_names(result, view)
    index = {name: number for number, name in enumerate(names)}
    return {
        "tool": {"driver": driver([_rule(name, view) for name in names])},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the project that was checked."}}},
        "invocations": [invocation(result.unreadable, view.status)],
        "results": list(_results(result, index)),
    }


def _results(result: Result, index: Mapping[str, int]) -> Iterator[Json]:
    """Every finding: those that are told, and, as suppressed, those that are known or allowed."""
    suppressed: list[tuple[Found, list[Json]]] = [(found, []) for found in result.findings]
    suppressed += [(found, [_known(result.compared)]) for found in result.known]
    suppressed += [(allowed.found, [_in_source(allowed)]) for allowed in result.allowed]
    for found, suppressions in suppressed:
        made = _result(found, index[found.rule], suppressions)
        if result.compared:
            made["baselineState"] = found.state or ("new" if not suppressions else "unchanged")
        yield made


def rule_names(result: Result, view: View) -> list[str]:
    """All rules of the rulebook, and any other that has a result."""
    found = (*result.findings, *result.known, *(allowed.found for allowed in result.allowed))
    return sorted({*view.rules, *(one.rule for one in found)})


def driver(rules: Sequence[Json]) -> Json:
    """This tool."""
    return {
        "name": "guardrails",
        "fullName": "guardrails (worker-guardrails), a linter for background-job code",
        "semanticVersion": guardrails.__version__,
        "notifications": [_unreadable()],
        "rules": rules,
    }


def _unreadable() -> Json:
    words = {"text": "A file, or a part of one, could not be read."}
    return {"id": UNREADABLE, "shortDescription": words, "fullDescription": words, "help": words}


def invocation(unreadable: Iterable[Remark], status: int) -> Json:
    """How the run went; findings are no failure of the tool."""
    return {
        "executionSuccessful": status in (0, 1),
        "exitCode": status,
        "toolExecutionNotifications": [_notification(remark) for remark in unreadable],
    }


def _rule(name: str, view: View) -> Json:
    page = view.rules.get(name)
    return _described(page) if page else _nameless(name)


def _nameless(name: str) -> Json:
    """A rule without a page: code scanning wants words of every rule."""
    words = {"text": f"{encodable(name)} has no page in the rulebook."}
    return {"id": name, "shortDescription": words, "fullDescription": words, "help": words}


def _described(page: Rule) -> Json:
    return {
        "id": page.name,
        "shortDescription": {"text": page.title},
        "fullDescription": {"text": first_sentence(page.why)},
        "help": {"text": page.page, "markdown": page.page},
        "defaultConfiguration": {"level": LEVELS[page.severity]},
        "properties": {"tags": [page.guardrail], "precision": page.confidence, "problem.severity": PROBLEM[page.severity]},
    }


def _result(found: Found, index: int, suppressions: Sequence[Json]) -> Json:
    made: Json = {
        "ruleId": found.rule,
        "ruleIndex": index,
        "level": LEVELS[found.severity],
        "message": _message(advised(found)),
        "locations": [_location(found.spot)],
        "partialFingerprints": {"guardrails/v1": encodable(found.fingerprint)},
        "suppressions": suppressions,
        "properties": {"confidence": found.confidence, **({"cause": encodable(found.cause)} if found.cause else {})},
    }
    if found.related:
        made["relatedLocations"] = [_related(number, remark) for number, remark in enumerate(found.related, 1)]
    return made


def _known(compared: str) -> Json:
    return {"kind": "external", "status": "accepted", "justification": f"Known to {encodable(compared)}."}


def _in_source(allowed: Allowed) -> Json:
    return {"kind": "inSource", "status": "accepted", **({"justification": encodable(allowed.reason)} if allowed.reason else {})}


def _notification(remark: Remark) -> Json:
    return {
        "level": "warning",
        "descriptor": {"id": UNREADABLE, "index": 0},
        "message": _message(remark.message),
        "locations": [_location(remark.spot)],
    }


def _related(number: int, remark: Remark) -> Json:
    return {"id": number, "message": _message(remark.message), **_location(remark.spot)}


def _location(spot: Spot) -> Json:
    place: Json = {"artifactLocation": {"uri": uri(spot.path), "uriBaseId": ROOT}}
    if spot.line > 0:
        place["region"] = {
            "startLine": spot.line,
            "startColumn": max(spot.column, 1),
            "endLine": max(spot.end_line, spot.line),
            "endColumn": max(spot.end_column, 1),
        }
    return {"physicalLocation": place}


def uri(path: str) -> str:
    """A path relative to the root as a URI reference, the bytes of its name percent-encoded."""
    return quote(path.encode("utf-8", "surrogateescape" if _is_of_bytes(path) else "backslashreplace"), safe="/")


def _is_of_bytes(path: str) -> bool:
    """Whether all its surrogates stand for bytes, as in the name of a file; a name from elsewhere may hold others."""
    return not any("\ud800" <= letter < "\udc80" or "\udcff" < letter <= "\udfff" for letter in path)


def _message(text: str) -> Json:
    """Plain text: braces would be placeholders (SARIF 2.1.0, 3.11.5) and `[a](b)` a link (3.11.6)."""
    plain = encodable(text).replace("{", "{{").replace("}", "}}")
    return {"text": _LINK.sub(r"\\[", plain)}
