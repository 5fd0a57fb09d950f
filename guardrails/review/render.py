"""Plans as Markdown, by the templates in `templates/review/`. What a template prints is escaped unless it is known to be safe."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import PurePosixPath
from urllib.parse import quote

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from guardrails import assets, rulebook
from guardrails.allow import OWN_RULES
from guardrails.report.order import Story
from guardrails.report.tally import by_severity, count, listed, severity_count
from guardrails.report.view import first_sentence
from guardrails.result import Allowed, Found, Remark, Spot
from guardrails.review import marker
from guardrails.review.hunks import Hunks
from guardrails.review.safe import Safe, cell, code, fence, link, words
from guardrails.review.told import Note, Overview, Past, Row, Suggestion, Web

MOST_RELATED = 5
MOST_PLACES = 5  # of one cause
IN_SIGHT = 10  # rows of the table that are not folded
MEMORY = 10_000  # letters of hidden lines about findings without a comment
JOB = 250_000  # letters of at most four bytes: the summary of a job ends at 1 MiB
LONGEST_LINK = 1_000
MORE = 40  # findings, allow comments and fixed ones that a list names

_SIGNS = {".py": "# {}", ".pyi": "# {}", ".yml": "# {}", ".yaml": "# {}", ".toml": "# {}", ".md": "<!-- {} -->", ".mdc": "<!-- {} -->"}
NOTES: dict[Note, str] = {
    "outside": "not on a line of this change",
    "unsure": "{} confidence",
    "many": "no room for a comment of its own",
    "refused": "GitHub took no comment here",
    "resolved": "resolved",
}


class _Part(msgspec.Struct, frozen=True):
    """A story as the template of comments tells it; `allow` is the comment that silences it, with `{}` for the rule."""

    title: Safe
    rule: str
    has_page: bool
    severity: str
    message: Safe
    why: Safe
    fix: Safe
    related: tuple[tuple[Safe, Safe], ...]
    places: Safe
    at: Safe
    allow: str
    suggestion: Suggestion | None
    fence: Safe


def comment(
    stories: Sequence[Story], hunks: Hunks, head: str, web: Web | None, mended: tuple[str, Suggestion] | None, whole: bool, letters: int
) -> str:
    """The visible text of a comment: as many stories as there is room for. `mended` is the suggestion of one of them, by fingerprint."""
    links = _Links(hunks, head, web)
    parts = [_part(story, links, mended, whole) for story in stories]
    for number in range(len(parts), 0, -1):
        text = _comment(parts[:number], len(parts) - number)
        if len(text) <= letters:
            break
    return text


def _comment(parts: Sequence[_Part], left: int) -> str:
    rules = ", ".join(part.rule for part in parts if part.allow)
    return _say(
        "comment",
        parts=parts,
        left=count(left, "more finding") if left else "",
        allow=code(next(part.allow for part in parts if part.allow).format(rules), most=600) if rules else "",
        explain=[code(f"guardrails explain {part.rule}") for part in parts if part.has_page],
    )


def closed(gone: Sequence[Past]) -> str:
    """The visible text of a comment whose findings are gone."""
    return _say("closed", gone=[_gone(one) for one in gone])


def summary(overview: Overview) -> str:
    """The summary comment: hidden memory first, then as many findings as there is room for."""
    memory = marker.SUMMARY + marker.write(_memory(overview))
    return memory + _told(overview, overview.letters - len(memory), full=False)


def job(overview: Overview) -> str:
    """The summary of the job: each finding with its fix."""
    return _told(overview, JOB, full=True)


def _told(overview: Overview, letters: int, full: bool) -> str:
    rows = [_row(row, overview, full) for row in overview.rows]
    room = letters - len(_overview(overview, [], full)) - 400
    fitting = 0
    for row in rows:
        room -= sum(map(len, row)) + 24
        if room < 0:
            break
        fitting += 1
    return _overview(overview, rows[:fitting], full)


def _overview(overview: Overview, rows: Sequence[tuple[Safe, ...]], full: bool) -> str:
    context, told = overview.context, sum(len(row.story) for row in overview.rows)
    seen = sum(len(row.story) for row in overview.rows[: len(rows)])
    return _say(
        "summary",
        verdict=_verdict(overview),
        rows=rows,
        in_sight=len(rows) if full else IN_SIGHT,
        left=count(told - seen, "more finding") if told > seen else "",
        full=full,
        only_here=_only_here(overview.rows) if not full else "",
        fixed=[_gone(one) for one in overview.fixed[:MORE]],
        allowed=[_allowed(one, overview) for one in context.allowed[:MORE]],
        allows=count(len(context.allowed), "finding"),
        unallowed=count(len(context.allowed) - MORE, "more finding") if len(context.allowed) > MORE else "",
        unknown=count(context.unknown, "place") if context.unknown else "",
        from_head=context.from_head,
        notices=[words(notice) for notice in context.notices],
    )


def _verdict(overview: Overview) -> Safe:
    found = [one for row in overview.rows for one in row.story]
    if not found:
        return Safe("✅ no unsafe worker code in this change")
    return Safe(f"{listed(severity_count(*pair) for pair in by_severity(found))} in this change")


def _only_here(rows: Sequence[Row]) -> str:
    """How many findings have no comment on the lines."""
    number = sum(len(row.story) for row in rows if row.note not in ("", "resolved"))
    all_of_them = number == sum(len(row.story) for row in rows)
    return count(number, "finding") if number and not all_of_them else ""


def _row(row: Row, overview: Overview, full: bool) -> tuple[Safe, ...]:
    links, main = _Links(overview.hunks, overview.head, overview.context.web), row.story[0]
    more = f" and {count(len(row.story) - 1, 'more place')}" if len(row.story) > 1 else ""
    note = NOTES[row.note].format(main.confidence) if row.note else ""
    said = (
        cell(_sentence(main.message))
        + (f" *({note})*" if note else "")
        + (f"<br>Fix: {cell(words(main.fix))}" if full and main.fix else "")
    )
    return Safe(main.severity), cell(code(main.rule)), Safe(cell(links.stable(main.spot)) + more), Safe(said)


def _memory(overview: Overview) -> Iterator[marker.Mark]:
    for past in overview.fixed:
        state: marker.State = "allowed" if past.allowed else "fixed"
        yield marker.Mark(past.fingerprint, past.rule, past.path, state=state, commit=past.commit)
    room = MEMORY
    for row in (row for row in overview.rows if row.note not in ("", "resolved")):
        made = marker.of(row.story[0])
        if row.note == "refused":
            made = msgspec.structs.replace(made, state="refused", line=str(row.story[0].spot.line))
        room -= len(marker.write([made]))
        if room >= 0 or row.note == "refused":
            yield made


def _part(story: Story, links: _Links, mended: tuple[str, Suggestion] | None, whole: bool) -> _Part:
    found, page = story[0], rulebook.load().get(story[0].rule)
    suggestion = mended[1] if mended is not None and mended[0] == found.fingerprint else None
    may_allow = page is not None and found.rule not in OWN_RULES
    return _Part(
        title=_title(found.rule),
        rule=found.rule,
        has_page=page is not None,
        severity=found.severity,
        message=_sentence(found.message),
        why=words(first_sentence(page.why)) if page is not None else Safe(""),
        fix=_sentence(found.fix) if found.fix else Safe(""),
        related=tuple(_related(one, links) for one in found.related[:MOST_RELATED]),
        places=_places(story[1:], links),
        at=links.lasting(found.spot) if whole else Safe(""),
        allow=_allow(found) if may_allow else "",
        suggestion=suggestion,
        fence=Safe(fence(suggestion.lines) if suggestion is not None else ""),
    )


def _sentence(text: str) -> Safe:
    said = words(text[:1].upper() + text[1:])
    return said if said.endswith((".", "!", "?", "…")) else Safe(f"{said}.")


def _related(remark: Remark, links: _Links) -> tuple[Safe, Safe]:
    return links.lasting(remark.spot), words(remark.message, 200)


def _places(others: Sequence[Found], links: _Links) -> Safe:
    told = [links.lasting(one.spot) for one in others[:MOST_PLACES]]
    if len(others) > MOST_PLACES:
        told.append(Safe(f"{len(others) - MOST_PLACES:,} more"))
    return Safe(listed(told))


def _allow(found: Found) -> str:
    sign = _SIGNS.get(PurePosixPath(found.spot.path).suffix, "// {}")
    return sign.format("guardrails: allow {} -- reason")


def _gone(past: Past) -> dict[str, object]:
    return {
        "title": _title(past.rule),
        "rule": code(past.rule),
        "path": code(past.path),
        "commit": Safe(past.commit[:7]) if past.commit.isalnum() else Safe(""),
        "allowed": past.allowed,
    }


def _title(rule: str) -> Safe:
    page = rulebook.load().get(rule)
    return words(page.title if page is not None else rule.replace("-", " ").capitalize())


def _allowed(one: Allowed, overview: Overview) -> tuple[Safe, Safe, Safe]:
    links = _Links(overview.hunks, overview.head, overview.context.web)
    return code(one.found.rule), links.stable(one.found.spot), words(one.reason, 200)


class _Links:
    """Places as links, where it is known where the pull request is looked at."""

    def __init__(self, hunks: Hunks, head: str, web: Web | None) -> None:
        self._hunks, self._head, self._web = hunks, head, web

    def lasting(self, spot: Spot) -> Safe:
        """The place in this commit."""
        shown = code(_at(spot))
        if self._web is None or not self._head:
            return shown
        path = quote(self._hunks.real(spot.path), errors="surrogateescape")
        line = f"#L{spot.line}" if spot.line > 0 else ""
        address = f"{self._web.server}/{self._web.repo}/blob/{self._head}/{path}{line}"
        return link(shown, address) if len(address) <= LONGEST_LINK else shown

    def stable(self, spot: Spot) -> Safe:
        """The place in the view of the change, which has the same address after the next push."""
        shown = code(_at(spot))
        if self._web is None or not self._hunks.hold(spot.path, spot.line, spot.line):
            return shown
        file = hashlib.sha256(self._hunks.real(spot.path).encode()).hexdigest()
        return link(shown, f"{self._web.server}/{self._web.repo}/pull/{self._web.number}/files#diff-{file}R{spot.line}")


def _at(spot: Spot) -> str:
    return f"{spot.path}:{spot.line}" if spot.line > 0 else spot.path


def _say(name: str, **values: object) -> str:
    return _environment().get_template(f"{name}.md.j2").render(values).strip() + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(assets.folder("templates") / "review"), undefined=StrictUndefined, finalize=_escaped, trim_blocks=True,
        lstrip_blocks=True, autoescape=False,
    )  # fmt: skip
    environment.filters["verbatim"] = Safe  # lines of a suggestion, behind a fence that they cannot close
    return environment


def _escaped(value: object) -> object:
    return value if isinstance(value, Safe | int) else words(str(value))
