"""What a run found and what it looked at, in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from guardrails.finding import SEVERITIES, Severity
from guardrails.report.safe import visible
from guardrails.result import UNREADABLE, Found, Remark, Result, Summary

STALE = 5  # entries of a baseline without a match that are named
_REASONS = {
    "test": "in tests (--tests looks there, too)",
    "browser asset": "for browsers",
    "hidden folder": "in hidden folders",
    "documentation": "in documentation",
}


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 job`, `2 jobs`, `1,204 files`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(parts)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def by_severity(findings: Iterable[Found]) -> list[tuple[Severity, int]]:
    """How many there are of each severity that occurs, worst first."""
    severities = [found.severity for found in findings]
    return [(severity, severities.count(severity)) for severity in SEVERITIES if severity in severities]


def severity_count(severity: Severity, number: int) -> str:
    """`3 errors`."""
    return count(number, severity, "info" if severity == "info" else "")


def _plain(text: str, _: str) -> str:
    return text


def verdict(result: Result, paint: Callable[[str, str], str] = _plain) -> str:
    """`Found 3 errors and 1 warning in 2 files.`; `paint` colours a text in the style of a severity."""
    findings = result.findings
    if not findings and not result.summary.files:
        return "Nothing was looked at."
    if not findings:
        return paint("No new unsafe worker code found." if result.known else "No unsafe worker code found.", "good")
    parts = listed(paint(severity_count(*pair), pair[0]) for pair in by_severity(findings))
    lead = "New:" if result.compared else "Found"
    return f"{lead} {parts} in {count(len({found.spot.path for found in findings}), 'file')}."


def not_new(result: Result, told: str = "not shown", remedy: str = "") -> Iterator[str]:
    """What a baseline or a base holds that is not `told` again, and what it holds in vain, a sentence each; the `remedy` tells it."""
    if result.known:
        are = "is" if len(result.known) == 1 else "are"
        yield f"{count(len(result.known), 'known finding')} {are} {told} ({visible(result.compared)}){remedy}."
    if result.stale:
        match = "matches" if len(result.stale) == 1 else "match"
        named = [visible(entry) for entry in result.stale[:STALE]]
        more = [f"{len(result.stale) - STALE:,} more"] if len(result.stale) > STALE else []
        entries = count(len(result.stale), "entry", "entries")
        yield f"{entries} of the baseline {match} nothing any more: {listed([*named, *more])}. `guardrails baseline prune` takes them out."


def mendable(findings: Iterable[Found]) -> str:
    """How many findings `--fix` could mend, in one sentence; "" where it could mend none."""
    repairs = [found.repair for found in findings if found.repair is not None]
    safe = sum(repair.safe for repair in repairs)
    if not repairs:
        return ""
    more = f" ({len(repairs) - safe} more with --unsafe)" if safe < len(repairs) else ""
    if not safe:
        return f"{count(len(repairs), 'finding')} can perhaps be mended by machine; add --fix --unsafe --dry-run to see how."
    return f"{count(safe, 'finding')} can be mended by machine{more}; add --fix --dry-run to see how."


def unsaid(result: Result) -> tuple[Remark, ...]:
    """What could not be read and stands in no finding."""
    said = {found.spot for found in result.findings if found.rule == UNREADABLE}
    return tuple(remark for remark in result.unreadable if remark.spot not in said)


def passed_over(summary: Summary) -> str:
    """Why files were not looked at, in one sentence; "" where there are none."""
    passed = {why: number for why, number in sorted(summary.passed_over.items()) if number}
    reasons = ", ".join(f"{number:,} {_REASONS.get(why) or visible(why)}" for why, number in passed.items())
    return f"Passed over {count(sum(passed.values()), 'file')}: {reasons}." if passed else ""


def looked_at(summary: Summary) -> str:
    """One sentence on what was read and recognised, "" where no file was read."""
    if not summary.files:
        return ""
    parts = (("job", summary.jobs), ("enqueue", summary.enqueues), ("handler", summary.handlers), ("schedule", summary.schedules))
    seen = ", ".join(count(number, noun) for noun, number in parts)
    spawns = f", {count(summary.spawns, 'spawn')}" if summary.spawns else ""
    frameworks = f" ({', '.join(visible(name) for name in summary.frameworks)})" if summary.frameworks else ""
    return f"Looked at {count(summary.files, 'file')} ({summary.parsed:,} with words of worker code): {seen}{spawns}{frameworks}."


def in_short(result: Result) -> str:
    """The verdict, what was looked at and what is not new, on one line."""
    return " ".join(sentence for sentence in (verdict(result), looked_at(result.summary), *not_new(result)) if sentence)


def advised(found: Found) -> str:
    """The message with the fix, for formats that have one text for both."""
    return f"{found.message.rstrip('.')}. Fix: {found.fix}" if found.fix else found.message


def no_job(summary: Summary) -> str:
    """What was looked for where no job was found, "" where one was."""
    if summary.jobs or summary.enqueues or not summary.files:
        return ""
    looked = f" Looked for {listed(visible(name) for name in summary.looked_for)}." if summary.looked_for else ""
    return f"No background job was found.{looked}"


def left_out(result: Result, show_unknown: bool) -> Iterator[str]:
    """What was not looked at, not told or not counted, a sentence each."""
    if passed := passed_over(result.summary):
        yield passed
    judged = len(result.unknown) - result.summary.ended
    if judged > 0 and not show_unknown:
        yield f"{count(judged, 'place')} could not be judged; --show-unknown lists {'it' if judged == 1 else 'them'}."
    if ended := result.summary.ended:
        listed_by = "" if show_unknown else f"; --show-unknown lists {'it' if ended == 1 else 'them'}"
        yield f"{count(ended, 'search', 'searches')} stopped at a limit, so what lies beyond was not judged{listed_by}."
    if result.allowed:
        yield f"{count(len(result.allowed), 'finding')} allowed by a comment."
