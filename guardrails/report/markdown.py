"""`--format markdown`: for a comment on a pull request or a job's summary, no longer than such a comment may be.

Text from scanned code comes as text: no link, no HTML, no mention of anybody can come of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from guardrails.report.order import Story, by_rule, gravest
from guardrails.report.prose import parts
from guardrails.report.safe import visible
from guardrails.report.snippet import at_line
from guardrails.report.tally import by_severity, count, left_out, listed, looked_at, no_job, not_new, severity_count, unsaid, verdict
from guardrails.report.view import View, first_sentence
from guardrails.result import Found, Remark, Result, Spot

LONGEST = 60_000  # characters; a comment on GitHub ends at 65,536
PLACES = 10  # places of one cause that are listed
_ACTS = re.compile(r"[\\`*_\[\]<>|~&$]")
_PART = "\0"  # no visible text holds it
_REACHES = re.compile(r"[@#]|:(?=//)|www(?=\.)|GH(?=-)", re.IGNORECASE)


def render(result: Result, view: View) -> str:
    """The verdict, a table of rules, then each rule with its findings, as far as there is room."""
    head = [f"## guardrails: {words(verdict(result))}", ""]
    tail = ["", *(words(sentence) for sentence in _sentences(result, view))]
    room = LONGEST - sum(len(line) + 1 for line in (*head, *tail)) - 200
    return "\n".join([*head, *_body(result, view, room), *tail]).rstrip() + "\n"


def words(text: str) -> str:
    """Prose with `code` in it as Markdown, on one line."""
    return "".join(code(part) if is_code else plain(part) for is_code, part in parts(text))


def code(text: str) -> str:
    """A code span that holds just this."""
    shown = visible(text)
    marks = "`" * (max(map(len, re.findall(r"`+", shown)), default=0) + 1)
    edge = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{marks}{edge}{shown}{edge}{marks}"


def plain(text: str) -> str:
    """Text in which nothing acts: a comment parts what would reach a person, an issue or a site."""
    parted = _REACHES.sub(lambda found: f"{found[0]}{_PART}", text)
    return _ACTS.sub(lambda found: f"&#{ord(found[0])};", parted).replace(_PART, "<!-- -->")


def _sentences(result: Result, view: View) -> Iterator[str]:
    told = (looked_at(result.summary), no_job(result.summary), *not_new(result), *left_out(result, view.show_unknown))
    yield from (sentence for sentence in told if sentence)


def _body(result: Result, view: View, room: int) -> Iterator[str]:
    groups = by_rule(result.findings)
    for line in _table(groups, view) if groups else ():
        room -= len(line) + 1
        yield line
    left = len(result.findings)
    for block, number in _blocks(result, view, groups):
        room -= len(block) + 1
        if room < 0:
            yield f"\n{count(left, 'more finding')} not listed: there is no room here."
            return
        left -= number
        yield block


def _table(groups: Sequence[tuple[str, list[Found]]], view: View) -> Iterator[str]:
    yield from ("| rule | findings | files |", "|---|---|---|")
    for rule, group in groups:
        files = len({found.spot.path for found in group})
        number = listed(severity_count(*pair) for pair in by_severity(group))
        yield f"| {code(rule).replace('|', '&#124;')} | {number} | {files:,} |"


def _blocks(result: Result, view: View, groups: Sequence[tuple[str, list[Found]]]) -> Iterator[tuple[str, int]]:
    """Pieces that are shown whole, each with the number of its findings."""
    for rule, group in groups:
        head = "\n".join(["", f"### {code(rule)}", *_why(rule, view), "", ""])
        for story in gravest(group):
            yield head + "\n".join(_story(story)), len(story)
            head = ""
    if remarks := unsaid(result):
        yield "\n".join(["", "### Could not be read whole", "", *map(_unread, remarks)]), 0
    if view.show_unknown and result.unknown:
        yield "\n".join(["", "### Could not be judged", "", *map(_unread, result.unknown)]), 0


def _why(rule: str, view: View) -> Iterator[str]:
    page = view.rules.get(rule)
    if page:
        yield from ("", words(first_sentence(page.why)))


def _story(story: Story) -> Iterator[str]:
    found, others = story[0], story[1:]
    sure = "" if found.confidence == "high" else f" ({found.confidence} confidence)"
    yield f"- **{found.severity}**{sure} {_where(found.spot)}: {words(found.message)}"
    if found.fix:
        yield f"  - fix: {words(found.fix)}"
    yield from (f"  - {_where(one.spot)}: {words(one.message)}" for one in found.related)
    if others:
        places = ", ".join(_where(other.spot) for other in others[:PLACES])
        more = f" and {len(others) - PLACES:,} more" if len(others) > PLACES else ""
        yield f"  - also, with the same cause: {places}{more}"


def _unread(remark: Remark) -> str:
    rule = f"{code(remark.rule)}: " if remark.rule else ""
    return f"- {_where(remark.spot)}: {rule}{words(remark.message)}"


def _where(spot: Spot) -> str:
    return code(at_line(spot))
