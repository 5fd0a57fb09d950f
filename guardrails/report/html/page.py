"""What the page says, ready to be laid out: nothing here is HTML but the rule pages, which are ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
from markdown_it import MarkdownIt
from markupsafe import Markup

from guardrails.finding import SEVERITIES, Severity
from guardrails.report.html.excerpt import Excerpt, Excerpts
from guardrails.report.html.tables import Tables, tables
from guardrails.report.order import Story, by_rule, gravest, rank
from guardrails.report.prose import parts
from guardrails.report.safe import visible
from guardrails.report.snippet import where
from guardrails.report.tally import count, left_out, looked_at, no_job, not_new, passed_over, unsaid, verdict
from guardrails.report.view import View, first_sentence
from guardrails.result import Found, Remark, Result

Prose = tuple[tuple[bool, str], ...]  # (is code, words)
OTHER = "other"  # the guardrail of a rule without a page


class Total(msgspec.Struct, frozen=True):
    """A bar: `share` of the longest one, in percent."""

    name: str
    title: str
    severity: Severity
    number: int
    share: int


class Place(msgspec.Struct, frozen=True):
    """One more place of a card."""

    where: str
    about: str
    excerpts: Sequence[Excerpt]


class Card(msgspec.Struct, frozen=True):
    """A finding with the others of its cause; `text` is what the search reads."""

    id: str
    severity: Severity
    confidence: str
    where: str
    message: Prose
    fix: Prose
    excerpts: Sequence[Excerpt]
    others: Sequence[Place]
    number: int
    text: str


class Group(msgspec.Struct, frozen=True):
    """A rule with its findings, and what its page says."""

    rule: str
    title: str
    severity: Severity
    guardrail: str
    number: int
    why: Prose
    reasons: Markup
    mending: Markup
    cards: Sequence[Card]


class Row(msgspec.Struct, frozen=True):
    """A line of a table: a place that is told in short."""

    where: str
    rule: str
    severity: str
    message: Prose
    reason: str = ""


class Page(msgspec.Struct, frozen=True):
    """All of it."""

    verdict: str
    sentences: Sequence[Prose]
    severities: Sequence[tuple[Severity, int]]
    guardrails: Sequence[Total]
    rules: Sequence[Total]
    groups: Sequence[Group]
    known: Sequence[Row]
    compared: str
    allowed: Sequence[Row]
    unknown: Sequence[Row]
    unread: Sequence[Row]
    inventory: Tables | None


def page(result: Result, view: View) -> Page:
    """The page of a result."""
    findings = result.findings
    told = (
        looked_at(result.summary),
        no_job(result.summary),
        *not_new(result, "listed below"),
        passed_over(result.summary),
        *_unshown(result),
    )
    groups = tuple(_Groups(result, view).all())
    return Page(
        verdict=verdict(result),
        sentences=tuple(prose(sentence) for sentence in told if sentence),
        severities=tuple((one, sum(found.severity == one for found in findings)) for one in SEVERITIES),
        guardrails=_totals((group.guardrail, group.guardrail, group.severity, group.number) for group in groups),
        rules=_totals((group.rule, group.title, group.severity, group.number) for group in groups),
        groups=groups,
        known=tuple(_row(found) for found in result.known),
        compared=visible(result.compared),
        allowed=tuple(_row(one.found, one.reason) for one in result.allowed),
        unknown=tuple(map(_remark, result.unknown)),
        unread=tuple(map(_remark, unsaid(result))),
        inventory=tables(result.inventory) if result.inventory else None,
    )


def prose(text: str) -> Prose:
    """A sentence as it is laid out."""
    return tuple(parts(text))


def _unshown(result: Result) -> Iterable[str]:
    """What the page shows in tables; the sentences on it name options of the command line."""
    shown = list(
        left_out(msgspec.structs.replace(result, unknown=(), summary=msgspec.structs.replace(result.summary, passed_over={})), True)
    )
    return [*shown, *([f"{count(len(result.unknown), 'place')} could not be judged."] if result.unknown else [])]


def _totals(counted: Iterable[tuple[str, str, Severity, int]]) -> tuple[Total, ...]:
    """The numbers by name, largest first; the first to come of a name has the gravest severity."""
    numbers: Counter[str] = Counter()
    first: dict[str, tuple[str, Severity]] = {}
    for name, title, severity, number in counted:
        numbers[name] += number
        first.setdefault(name, (title, severity))
    longest = max(numbers.values(), default=1)
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Total(name, *first[name], number, max(2, round(100 * number / longest))) for name, number in ordered)


class _Groups:
    """Makes the groups of a page."""

    def __init__(self, result: Result, view: View) -> None:
        self.result, self.view = result, view
        self.excerpts = Excerpts(result.sources.items())
        self.markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self.number = 0

    def all(self) -> Iterable[Group]:
        """The gravest first."""
        return [self._group(rule, found) for rule, found in by_rule(self.result.findings)]

    def _group(self, rule: str, found: Sequence[Found]) -> Group:
        told = gravest(found)
        rule_page = self.view.rules.get(rule)
        worst = min(found, key=rank).severity
        cards = tuple(map(self._card, told))
        if rule_page is None:
            return Group(visible(rule), visible(rule), worst, OTHER, len(found), (), Markup(), Markup(), cards)
        why, fix = rule_page.why, rule_page.fix
        return Group(
            rule, rule_page.title, worst, rule_page.guardrail, len(found), prose(first_sentence(why)), self._rendered(why),
            self._rendered(fix), cards,
        )  # fmt: skip

    def _rendered(self, text: str) -> Markup:
        return Markup(self.markdown.render(text))

    def _card(self, story: Story) -> Card:
        self.number += 1
        found = story[0]
        others = [Place(where(other.spot), visible(other.subject or other.scope), self.excerpts.of(other, 0)[:1]) for other in story[1:]]
        read = [text for one in story for text in (one.rule, one.spot.path, one.message, one.fix, one.scope, one.subject)]
        return Card(
            f"f{self.number}", found.severity, found.confidence, where(found.spot), prose(found.message), prose(found.fix),
            self.excerpts.of(found), others, len(story), visible(" ".join(dict.fromkeys(read))).lower(),
        )  # fmt: skip


def _row(found: Found, reason: str = "") -> Row:
    return Row(where(found.spot), visible(found.rule), found.severity, prose(found.message), visible(reason))


def _remark(remark: Remark) -> Row:
    return Row(where(remark.spot), visible(remark.rule), "", prose(remark.message))
