"""`--format github`: workflow commands that GitHub Actions turns into annotations.

The gravest come first: GitHub shows only the first ten of a level.
"""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.finding import SEVERITIES, Severity
from guardrails.report.safe import visible
from guardrails.report.snippet import at_line
from guardrails.report.tally import in_short, unsaid
from guardrails.report.view import View
from guardrails.result import UNREADABLE, Found, Remark, Result, Spot

COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def render(result: Result, view: View) -> str:
    """A command a finding, then the summary as a plain line."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    for found in sorted(result.findings, key=lambda found: SEVERITIES.index(found.severity)):
        yield annotation(found)
    for remark in unsaid(result):
        yield command("warning", remark.spot, UNREADABLE, visible(remark.message))
    yield in_short(result)


def annotation(found: Found) -> str:
    """The command of a finding."""
    return command(COMMANDS[found.severity], found.spot, found.rule, _words(found))


def command(name: str, spot: Spot, title: str, message: str) -> str:
    """One workflow command. Columns are given only within one line: GitHub refuses them otherwise."""
    place = {"file": spot.path}
    if spot.line > 0:
        place |= {"line": str(spot.line), "endLine": str(max(spot.end_line, spot.line))}
        if spot.end_line == spot.line:
            place |= {"col": str(spot.column), "endColumn": str(max(spot.end_column, spot.column))}
    place["title"] = title
    properties = ",".join(f"{key}={_property(visible(value))}" for key, value in place.items())
    return f"::{name} {properties}::{_data(message)}"


def _words(found: Found) -> str:
    related = [_remark(remark) for remark in found.related]
    return "\n".join([visible(found.message), *([f"fix: {visible(found.fix)}"] if found.fix else []), *related])


def _remark(remark: Remark) -> str:
    return f"{at_line(remark.spot)}: {visible(remark.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
