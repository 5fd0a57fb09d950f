"""What a review does: from findings, the hunks of the change and the comments that stand there to the comments to write. Pure.

A finding that a comment tells is not told again, wherever the comment stands now and whoever resolved it; one whose comment GitHub
refused stays in the summary while it stands at that line. The same input on the next push gives a plan without writes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from guardrails.report.order import Story, gravest
from guardrails.result import Found
from guardrails.review import marker, render
from guardrails.review.hunks import Hunks
from guardrails.review.marker import Mark
from guardrails.review.match import Matched, Said, marked
from guardrails.review.told import (
    Comment,
    Context,
    Edit,
    Limits,
    New,
    Note,
    Overview,
    Past,
    Plan,
    Row,
    Suggestion,
    Told,
    Web,
)

MOST_STORIES = 6  # that one comment tells
MOST_FIXED = 30  # that the summary remembers


def plan(
    findings: Sequence[Told], hunks: Hunks, mine: Sequence[Comment], summary: Comment | None, head: str,
    limits: Limits | None = None, context: Context | None = None,
) -> Plan:  # fmt: skip
    """What is to be done, with `mine` all inline and file comments of the pull request, and `summary` the one of ours, None where there is
    none. `head` is the commit that was looked at."""
    return _Planner(findings, hunks, mine, summary, head, limits or Limits(), context or Context()).plan()


def demoted(made: Plan, refused: Iterable[New]) -> Plan:
    """The plan whose summary tells what GitHub refused as a comment."""
    gone = {mark for new in refused for mark in new.fingerprints}
    rows = tuple(
        msgspec.structs.replace(row, note="refused") if gone & {one.fingerprint for one in row.story} else row for row in made.overview.rows
    )
    overview = msgspec.structs.replace(made.overview, rows=rows)
    return msgspec.structs.replace(made, overview=overview, summary_body=_summary(overview, made.summary))


def as_file(new: New) -> New:
    """The same comment about the whole file."""
    return New(new.path, None, new.file_body, None, new.file_body, new.fingerprints)


def job_summary(made: Plan) -> str:
    """Markdown for the summary of the job that ran the review: everything, as far as GitHub shows it."""
    return render.job(made.overview)


class _Spot(msgspec.Struct, frozen=True):
    """Where a story is told: at a line (None: about its file), by which of its findings."""

    main: Found
    path: str
    line: int | None


class _Planner:
    def __init__(
        self, findings: Sequence[Told], hunks: Hunks, mine: Sequence[Comment], summary: Comment | None, head: str, limits: Limits,
        context: Context,
    ) -> None:  # fmt: skip
        self._found = [one.found for one in findings]
        self._suggestions = {one.found.fingerprint: one.suggestion for one in findings if one.suggestion is not None}
        self._hunks, self._head, self._limits, self._context, self._old = hunks, head, limits, context, summary
        own = [one for one in mine if one.mine and not marker.is_summary(one.body)]
        self._said = list(marked(own, marker.read))
        self._memory = marker.read(summary.body) if summary is not None and summary.mine else ()
        self._matched = Matched(self._found, self._said, hunks)
        self._stories = gravest(self._found)
        self._refused = {(mark.fp, mark.line) for mark in self._memory if mark.state == "refused"}

    def plan(self) -> Plan:
        spots = {index: self._spot(story) for index, story in enumerate(self._stories)}
        fresh = [(story, spot) for index, story in enumerate(self._stories) if isinstance(spot := spots[index], _Spot)]
        create, to_file, left = self._new(fresh)
        rows = tuple(Row(story, self._note(story, spots[index], left)) for index, story in enumerate(self._stories))
        edit, delete, resolve = self._changes()
        overview = Overview(rows, tuple(islice(self._fixed(), MOST_FIXED)), self._context, self._hunks, self._head, self._limits.letters)
        body = _summary(overview, self._old)
        return Plan(create, edit, delete, resolve, to_file, body, overview, self._old)

    # Where a story is told

    def _spot(self, story: Story) -> _Spot | Note:
        """Where a comment is to be made; else why none is."""
        said = [self._matched.at[one.fingerprint] for one in story if one.fingerprint in self._matched.at]
        if said:
            return "resolved" if all(comment.resolved for comment in said) else ""
        if self._refused & {(one.fingerprint, str(one.spot.line)) for one in story}:
            return "refused"
        sure = [one for one in story if one.confidence == "high"]
        if not sure:
            return "unsure"
        for one in sure:
            line = self._line(one)
            if line is not None:
                return _Spot(one, one.spot.path, line)
        return next((_Spot(one, one.spot.path, None) for one in sure if one.spot.path in self._hunks), "outside")

    def _line(self, found: Found) -> int | None:
        """The first line of a finding that the change shows."""
        spot = found.spot
        return next((line for line in range(spot.line, spot.end_line + 1) if self._hunks.hold(spot.path, line, line)), None)

    def _note(self, story: Story, spot: _Spot | Note, left: Collection[str]) -> Note:
        if not isinstance(spot, _Spot):
            return spot
        if spot.main.fingerprint not in left:
            return ""
        return "many" if spot.line is not None else "outside"

    # New comments

    def _new(self, fresh: Sequence[tuple[Story, _Spot]]) -> tuple[tuple[New, ...], tuple[New, ...], set[str]]:
        """Comments for one review, those about files, and the fingerprints for which there is no room."""
        alive = {comment.id: mark for comment, mark in self._said if (comment.id, mark.fp) in self._matched.alive}
        room, files = self._limits.comments - len(alive), self._limits.files - sum(mark.whole for mark in alive.values())
        groups: dict[tuple[str, int | None], list[tuple[Story, _Spot]]] = {}
        for story, spot in fresh:
            groups.setdefault((spot.path, spot.line), []).append((story, spot))
        create, to_file, left = list[New](), list[New](), set[str]()
        for (_, line), group in sorted(groups.items(), key=lambda item: item[0][1] is None):  # lines before files, else the gravest first
            for at in range(0, len(group), MOST_STORIES):
                part = group[at : at + MOST_STORIES]
                if room <= 0 or (line is None and files <= 0):
                    left |= {spot.main.fingerprint for _, spot in part}
                    continue
                room, files = room - 1, files - (line is None)
                (to_file if line is None else create).append(self._comment(part))
        return tuple(create), tuple(to_file), left

    def _comment(self, group: Sequence[tuple[Story, _Spot]]) -> New:
        stories = [self._led(story, spot.main) for story, spot in group]
        path, line = group[0][1].path, group[0][1].line
        real, fingerprints = self._hunks.real(path), tuple(one.fingerprint for story in stories for one in story)
        whole = self._body(stories, whole=True)
        if line is None:
            return New(real, None, whole, None, whole, fingerprints)
        lead = next((story[0].fingerprint for story in stories if story[0].fingerprint in self._suggestions), "")
        mended = self._suggestions.get(lead)
        if mended is not None and not self._hunks.hold(path, mended.start, mended.end):
            mended = None
        body = self._body(stories, (lead, mended) if mended is not None else None)
        first, last = (mended.start, mended.end) if mended is not None else (line, line)
        return New(real, last, body, first if first < last else None, whole, fingerprints)

    def _body(self, stories: Sequence[Story], mended: tuple[str, Suggestion] | None = None, whole: bool = False) -> str:
        marks = marker.write(msgspec.structs.replace(marker.of(story[0], story[1:]), whole=whole) for story in stories)
        room = self._limits.letters - len(marks)
        return marks + render.comment(stories, self._hunks, self._head, self._context.web, mended, whole, room)

    def _led(self, story: Story, main: Found) -> Story:
        return (main, *(one for one in story if one is not main))

    # Comments that stand there

    def _changes(self) -> tuple[tuple[Edit, ...], tuple[int, ...], tuple[str, ...]]:
        edit, delete, resolve = list[Edit](), list[int](), list[str]()
        by_comment: dict[int, list[Said]] = {}
        for said in self._said:
            by_comment.setdefault(said[0].id, []).append(said)
        for said_there in by_comment.values():
            comment, marks = said_there[0][0], [mark for _, mark in said_there]
            alive = [mark for mark in marks if (comment.id, mark.fp) in self._matched.alive]
            if self._stands(comment, marks, alive):
                continue
            if alive:
                edit += self._again(comment, alive)
            elif self._limits.closing == "delete":
                delete.append(comment.id)
            else:
                edit.append(Edit(comment.id, self._closed(marks)))
                resolve += [comment.node_id] if self._limits.resolve else []
        return tuple(edit), tuple(delete), tuple(resolve)

    def _stands(self, comment: Comment, marks: Sequence[Mark], alive: Sequence[Mark]) -> bool:
        """Whether a comment is right as it is, or not ours to change."""
        was_closed = all(mark.closed for mark in marks)
        if was_closed:
            return not alive  # it is back
        unread = any(mark.path in self._context.unread for mark in marks)
        return len(alive) == len(marks) or comment.replied or comment.resolved or unread

    def _again(self, comment: Comment, alive: Sequence[Mark]) -> Iterator[Edit]:
        """The comment with what it still tells."""
        there = [story for story in self._stories if any(self._matched.at.get(one.fingerprint) is comment for one in story)]
        if there:
            yield Edit(comment.id, self._body(there[:MOST_STORIES], whole=any(mark.whole for mark in alive)))

    def _closed(self, marks: Sequence[Mark]) -> str:
        gone = [msgspec.structs.replace(mark, state=self._state(mark), commit=self._head) for mark in marks]
        return marker.write(gone) + render.closed([_past(mark) for mark in gone])

    def _state(self, mark: Mark) -> marker.State:
        return "allowed" if mark.fp in self._context.silenced else "fixed"

    def _fixed(self) -> Iterator[Past]:
        """What was told and is gone, once each: as the last summary tells it, else what is gone now."""
        current = {one.fingerprint for one in self._found}
        owner = Comment(0, "", "", None, "")
        there = Matched(self._found, [(owner, mark) for mark in self._memory if not mark.closed], self._hunks)
        before = [mark for mark in self._memory if mark.closed or (0, mark.fp) not in there.alive]
        now = [mark for comment, mark in self._said if (comment.id, mark.fp) not in self._matched.alive]
        told = set(current)
        for mark in (*before, *now):
            if mark.fp not in told and mark.path not in self._context.unread:
                told.add(mark.fp)
                closed = mark if mark.closed else msgspec.structs.replace(mark, state=self._state(mark), commit=self._head)
                yield _past(closed)


def _past(mark: Mark) -> Past:
    return Past(mark.fp, mark.rule, mark.path, mark.commit, mark.state == "allowed")


def _summary(overview: Overview, old: Comment | None) -> str | None:
    """The text of the summary; None where it stands already, or where there never was anything to say."""
    if old is None and not overview.rows and not overview.context.allowed and not overview.context.notices:
        return None
    body = render.summary(overview)
    return None if old is not None and _plain(old.body) == _plain(body) else body


def _plain(body: str) -> str:
    """A body whatever GitHub did to its line ends."""
    return "\n".join(line.rstrip() for line in body.strip().splitlines())


__all__ = [
    "Comment", "Context", "Edit", "Limits", "New", "Note", "Overview", "Past", "Plan", "Row", "Suggestion", "Told", "Web", "as_file",
    "demoted", "job_summary", "plan",
]  # fmt: skip
