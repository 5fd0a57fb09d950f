"""`--format agent`: a line a cause for a coding agent, most severe first, and no more than an agent reads.

`path:line rule message | fix: .. | guardrails explain rule`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from guardrails.report.order import Story, gravest
from guardrails.report.safe import visible
from guardrails.report.snippet import at_line
from guardrails.report.tally import count, not_new, unsaid, verdict
from guardrails.report.view import View
from guardrails.result import Found, Remark, Result

LINES = 25  # causes that are listed
BYTES = 8_000  # of the lines together: what the hooks of agents pass on ends at about 10,000
WIDEST = 600  # characters of one sentence


def render(result: Result, view: View) -> str:
    """The lines, then one that says what they leave out and what to do next."""
    told = gravest(result.findings)
    lines = list(_within([*map(_line, told[:LINES]), *map(_unread, unsaid(result)[:LINES])]))
    return "\n".join([*lines, *_end(result, told[len(lines) :], view)]) + "\n"


def _within(lines: Sequence[str]) -> Iterator[str]:
    """As many lines from the start as may be said."""
    room = BYTES
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            return
        yield line


def _line(story: Story) -> str:
    found = story[0]
    parts = [f"{at_line(found.spot)} {visible(found.rule)} {_sentence(found.message)}{_also(story[1:])}"]
    if found.fix:
        parts.append(f"fix: {_sentence(found.fix)}")
    return " | ".join([*parts, f"guardrails explain {visible(found.rule)}"])


def _also(others: Sequence[Found]) -> str:
    if not others:
        return ""
    places = ", ".join(at_line(other.spot) for other in others[:3])
    more = f" and {len(others) - 3} more" if len(others) > 3 else ""
    return f" (same cause: {places}{more})"


def _unread(remark: Remark) -> str:
    return f"{at_line(remark.spot)} could not be read: {_sentence(remark.message)}"


def _sentence(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= WIDEST else f"{shown[: WIDEST - 3]}..."


def _end(result: Result, left: Sequence[Story], view: View) -> Iterator[str]:
    yield verdict(result)
    if left:
        rule = visible(left[0][0].rule)
        yield f"{count(sum(map(len, left)), 'more finding')} not listed; mend these first, or: {view.again} --format agent --select {rule}"
    yield from not_new(result)
    if result.findings:
        yield f"Mend the code, then run {view.again} --format agent again until nothing is found."
