"""`--statistics`: how many findings of each rule, severity, guardrail, framework and confidence, and what was recognised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from guardrails.finding import CONFIDENCES, SEVERITIES
from guardrails.report.ink import Ink
from guardrails.report.safe import encodable, visible
from guardrails.result import Found, Result
from guardrails.rulebook import Rule

_HEADS = {
    "rules": "By rule",
    "severities": "By severity",
    "guardrails": "By guardrail",
    "frameworks": "By framework",
    "confidences": "By confidence",
}
_JOBS = {"limited": "with a time limit", "endless": "without a time limit", "unknown": "whose time limit could not be told"}


class Statistics(msgspec.Struct, frozen=True):
    """Findings that are told, counted; `known` are those that are not new, `allowed` those that a comment covers.

    `limits` counts the jobs with a time limit (`limited`), without one (`endless`), and those of which it could not be told (`unknown`).
    """

    findings: int
    known: int
    allowed: int
    rules: Mapping[str, int]
    severities: Mapping[str, int]
    guardrails: Mapping[str, int]
    frameworks: Mapping[str, int]
    confidences: Mapping[str, int]
    recognised: Mapping[str, int]
    limits: Mapping[str, int]


def counted(result: Result, rules: Mapping[str, Rule]) -> Statistics:
    """The statistics of a run, the most frequent first."""
    found, summary = result.findings, result.summary
    return Statistics(
        findings=len(found),
        known=len(result.known),
        allowed=len(result.allowed),
        rules=_most(encodable(one.rule) for one in found),
        severities=_ordered((one.severity for one in found), SEVERITIES),
        guardrails=_most(_guardrail(one, rules) for one in found),
        frameworks=_most(one.framework or "none" for one in found),
        confidences=_ordered((one.confidence for one in found), CONFIDENCES),
        recognised={name: getattr(summary, name) for name in ("files", "jobs", "enqueues", "handlers", "schedules", "spawns")},
        limits={name: summary.limits.get(name, 0) for name in _JOBS},
    )


def lines(statistics: Statistics, ink: Ink) -> Iterator[str]:
    """The statistics for people, a table a kind."""
    for name, head in _HEADS.items():
        counts: Mapping[str, int] = getattr(statistics, name)
        if counts:
            yield from _table(head, counts, ink)
    yield from _table("Recognised", {name[:-1] if number == 1 else name: number for name, number in statistics.recognised.items()}, ink)
    if sum(statistics.limits.values()):
        yield from _table("Jobs", {_JOBS[name]: number for name, number in statistics.limits.items()}, ink)


def _table(head: str, counts: Mapping[str, int], ink: Ink) -> Iterator[str]:
    yield ink(head, "strong")
    longest = max(len(f"{number:,}") for number in counts.values())
    for name, number in counts.items():
        yield f"  {number:>{longest},}  {visible(name)}"
    yield ""


def _guardrail(found: Found, rules: Mapping[str, Rule]) -> str:
    return rules[found.rule].guardrail if found.rule in rules else "none"


def _most(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _ordered(names: Iterable[str], order: Iterable[str]) -> dict[str, int]:
    numbers = Counter(names)
    return {name: numbers[name] for name in order if numbers[name]}
