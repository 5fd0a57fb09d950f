"""The report for people: each finding with its source, why it hurts and the smallest fix.

Findings of one cause are told once, with their places in short. A long report is grouped by rule and shows the best of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from guardrails.report.ink import Ink
from guardrails.report.order import Story, by_rule, gravest, rank, stories
from guardrails.report.safe import visible, width, wrap
from guardrails.report.snippet import Gallery, Mark, Sources, where
from guardrails.report.statistics import counted, lines
from guardrails.report.tally import (
    by_severity,
    count,
    left_out,
    listed,
    looked_at,
    mendable,
    no_job,
    not_new,
    severity_count,
    unsaid,
    verdict,
)
from guardrails.report.view import View, first_sentence
from guardrails.result import Found, Remark, Result

MANY = 20  # above it the report is grouped
BEST = 3  # causes of a rule that a grouped report tells in full
PLACES = 6  # places of one cause that a grouped report lists


def render(result: Result, view: View) -> str:
    """The whole report, ending in a newline."""
    return "\n".join(Report(result, view).lines()) + "\n"


class Report:
    """Lays out one result."""

    def __init__(self, result: Result, view: View) -> None:
        self.result, self.view = result, view
        self.ink = Ink(view.color)
        self.gallery = Gallery(Sources(result.sources), self.ink, view.columns)
        self.explained: set[str] = set()  # rules whose why was told

    def lines(self) -> Iterator[str]:
        """The report, line by line."""
        findings = self.result.findings
        if self.view.every:
            yield from self._full([(found,) for found in findings])
        elif len(findings) <= MANY:
            yield from self._full(stories(findings))
        else:
            yield from self._grouped(findings)
        yield from self._remarks("Could not be read whole:", unsaid(self.result))
        if self.view.show_unknown:
            yield from self._remarks("Could not be judged:", self.result.unknown)
        if self.view.statistics:
            yield from lines(counted(self.result, self.view.rules), self.ink)
        yield from self._summary()

    def _full(self, told: Iterable[Story]) -> Iterator[str]:
        for story in told:
            yield from self._story(story, len(story))

    def _grouped(self, findings: Sequence[Found]) -> Iterator[str]:
        for rule, group in by_rule(findings):
            yield from self._group(rule, group)

    def _group(self, rule: str, group: Sequence[Found]) -> Iterator[str]:
        told = gravest(group)
        files = count(len({found.spot.path for found in group}), "file")
        causes = f", {count(len(told), 'cause')}" if len(told) < len(group) else ""
        head = f"{listed(severity_count(*pair) for pair in by_severity(group))} in {files}{causes}"
        yield self.ink("=== ", "quiet") + self.ink(visible(rule), "strong") + self.ink(f": {head} ===", "quiet")
        yield ""
        for story in told[:BEST]:
            yield from self._story(story, PLACES)
        hidden = sum(map(len, told[BEST:]))
        if hidden:
            yield self.ink(f"... and {hidden} more; {self.view.again} --select {visible(rule)} --all", "strong")
            yield ""

    def _story(self, story: Story, places: int) -> Iterator[str]:
        first, *others = story
        yield from self._finding(first)
        if others:
            yield from self._others(others, places)
        yield from self._advice(first)
        yield ""

    def _finding(self, found: Found) -> Iterator[str]:
        sure = "" if found.confidence == "high" else f" ({found.confidence} confidence)"
        head = f"{self.ink(found.severity, found.severity)} {self.ink(visible(found.rule), 'strong')}{self.ink(sure, 'quiet')}"
        yield f"{self.ink(where(found.spot), 'strong')}: {head}"
        yield from wrap(found.message, self.view.columns, "  ", "  ")
        primary = Mark(found.spot, style=found.severity, sign="^")
        shown = list(self.gallery.show(primary, [Mark(remark.spot, remark.message) for remark in found.related]))
        if shown:
            yield from ("", *shown, "")

    def _others(self, others: Sequence[Found], places: int) -> Iterator[str]:
        yield f"  {self.ink('also:', 'second')} {count(len(others), 'more place')} with the same cause"
        spots = [where(other.spot) for other in others[:places]]
        longest = max(map(width, spots))
        for spot, other in zip(spots, others, strict=False):
            yield f"    {spot}{' ' * (longest - width(spot))}  {visible(other.subject or other.scope)}".rstrip()
        if len(others) > places:
            yield f"    ... and {len(others) - places} more"

    def _advice(self, found: Found) -> Iterator[str]:
        if found.fix:
            yield from self._said("fix:", "good", found.fix)
        page = self.view.rules.get(found.rule)
        if page and found.rule not in self.explained:
            self.explained.add(found.rule)
            yield from self._said("why:", "second", f"{first_sentence(page.why)} (`guardrails explain {found.rule}`)")

    def _said(self, label: str, style: str, words: str) -> Iterator[str]:
        first, *rest = wrap(words, self.view.columns, "       ", "       ")
        yield f"  {self.ink(label, style)} {first.lstrip()}"
        yield from rest

    def _remarks(self, title: str, remarks: Sequence[Remark]) -> Iterator[str]:
        if not remarks:
            return
        yield self.ink(title, "strong")
        for remark in remarks:
            rule = f"{visible(remark.rule)}: " if remark.rule else ""
            yield from wrap(f"{where(remark.spot)}  {rule}{remark.message}", self.view.columns, "  ", "      ")
        yield ""

    def _summary(self) -> Iterator[str]:
        yield verdict(self.result, self.ink)
        summary = self.result.summary
        them = "it" if len(self.result.known) == 1 else "them"
        remedy = f"; --no-baseline tells {them}, too" if self.result.compared == "the baseline" else ""
        known = not_new(self.result, remedy=remedy)
        for sentence in (looked_at(summary), no_job(summary), *known, *left_out(self.result, self.view.show_unknown)):
            yield from wrap(sentence, self.view.columns) if sentence else ()
        if self.view.mends and (sentence := mendable(self.result.findings)):
            yield from wrap(sentence, self.view.columns)
        if len(self.result.findings) > MANY:
            rule = max(self.result.findings, key=lambda found: (-rank(found)[0], -rank(found)[1])).rule
            yield f"An old code base? Take one rule at a time: {self.view.again} --select {visible(rule)}"
            if not self.result.compared:
                yield "Or let only what is new count from now on: guardrails baseline write"
