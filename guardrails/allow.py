"""Allow comments: `# guardrails: allow RULE[, RULE] [until YYYY-MM-DD] -- reason` (`//` in TypeScript and Rust, `<!-- -->` in Markdown).

On a line of its own a comment covers the next statement: of a function or class the whole, decorators included (it may stand between
them); of another compound statement its head. At the end of a line it covers the statement on that line, the innermost one where it goes
over several lines; at the end of a line of a function's or class's head, the whole. Without a reason nothing is allowed.

What this module itself reports cannot be allowed by a comment: such a finding is switched off in the configuration or not at all.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date
from itertools import accumulate
from typing import Generic, TypeVar

import msgspec

from guardrails.config import near
from guardrails.finding import Finding
from guardrails.lines import Lines
from guardrails.outline import Comment, Function, Outline
from guardrails.place import Place

UNJUSTIFIED, UNUSED, UNKNOWN = "unjustified-allow", "unused-allow", "unknown-rule-in-allow"
OWN_RULES = frozenset({UNJUSTIFIED, UNUSED, UNKNOWN})

MOST = 20  # rules of one comment that are reported one by one
GUESSES = 50  # misspelt rules of a file for which the nearest is looked for
MANY = 50  # statements of a line that are covered one by one

_COMMENT = re.compile(r"(?:#+|//[/!]?|/\*+)\s*guardrails:\s*allow\b")
_PROSE = re.compile(rb"<!--[ \t]*guardrails:[ \t]*allow\b(?P<rest>.*?)-->", re.DOTALL)
_FENCE = re.compile(rb"[ \t]*(`{3,}|~{3,})")
_UNTIL = re.compile(r"(?:^|\s)until\b\s*(?P<day>.*)\Z", re.DOTALL)
_REASON = re.compile(r"(?:^|\s)--(?:\s+|\Z)")
_BRACKET = re.compile(rb"\"(?:\\.|[^\"\\\n])*+\"|'(?:\\.|[^'\\\n])*+'|(?P<open>[(\[])|(?P<close>[)\]])")

Span = tuple[int, int]
T = TypeVar("T")


class Allow(msgspec.Struct, frozen=True):
    """One comment. `covers` are byte spans; `until` is the last day on which it holds; `fault` says why it allows nothing."""

    place: Place
    rules: tuple[str, ...]
    reason: str
    until: date | None
    covers: tuple[Span, ...]
    fault: str = ""

    def holds(self, rule: str, at: Place, today: date) -> bool:
        """Whether a finding of this rule that starts at a place of the same file is allowed."""
        if self.fault or rule not in self.rules or rule in OWN_RULES or (self.until is not None and today > self.until):
            return False
        return any(start <= at.start < end for start, end in self.covers)


def read(path: str, outline: Outline, lines: Lines) -> tuple[Allow, ...]:
    """The allow comments of a file, in order."""
    likely = (comment for comment in outline.comments if "guardrails" in comment.text)
    found = [(comment, _rest(comment.text, match.end())) for comment in likely if (match := _COMMENT.match(comment.text))]
    if not found:
        return ()
    cover = _Cover(outline, lines)
    return tuple(_allow(path, comment, rest, cover.spans(comment)) for comment, rest in found)


def read_prose(path: str, lines: Lines) -> tuple[Allow, ...]:
    """The allow comments of a Markdown file: one covers its line, on a line of its own what follows up to a blank line; a fence whole."""
    found = []
    for match in _PROSE.finditer(lines.source):
        comment = Comment(match.start(), match.end(), "", own_line=_is_alone(lines, match.start(), match.end()))
        found.append(_allow(path, comment, lines.decode(match["rest"]).strip(), (_prose_span(lines, comment),)))
    return tuple(found)


def _is_alone(lines: Lines, start: int, end: int) -> bool:
    first, last = lines.span(lines.line_of(start))[0], lines.span(lines.line_of(end))[1]
    return not lines.source[first:start].strip() and not lines.source[end:last].strip()


def _prose_span(lines: Lines, comment: Comment) -> Span:
    if not comment.own_line:
        return lines.span(lines.line_of(comment.start))
    first, fence = lines.line_of(comment.end) + 1, b""
    last = first
    for number in range(first, len(lines.starts) + 1):
        start, end = lines.span(number)
        line, mark = lines.source[start:end], _FENCE.match(lines.source, start, end)
        if not fence and not line.strip() and last > first:
            break
        first += not line.strip() and last == first
        fence = b"" if fence and mark and mark[1].startswith(fence) else fence or (mark[1] if mark else b"")
        last = number + 1
    return lines.span(first)[0] if first <= len(lines.starts) else len(lines.source), lines.span(last - 1)[1]


def _rest(text: str, start: int) -> str:
    rest = text[start:].strip()
    return rest[:-2].rstrip("* \t\r\n") if rest.endswith("*/") else rest


def _allow(path: str, comment: Comment, rest: str, covers: tuple[Span, ...]) -> Allow:
    named, *reasons = _REASON.split(rest, maxsplit=1)
    reason = " ".join(reasons[0].split()) if reasons else ""
    until, fault = None, "" if reason else "gives no reason"
    if day := _UNTIL.search(named):
        named = named[: day.start()]
        try:
            until = date.fromisoformat(day["day"].strip())
        except ValueError:
            fault = fault or f"says until {day['day'].strip() or 'nothing'}, which is no date (YYYY-MM-DD)"
    rules = tuple(dict.fromkeys(name for name in re.split(r"[\s,]+", named) if name))
    return Allow(Place(path, comment.start, comment.end), rules, reason, until, covers, fault)


def line_above(outline: Outline, lines: Lines, at: int) -> int | None:
    """Where a comment on a line of its own has to begin to cover what stands at an offset; None where no statement begins a line there."""
    cover = _Cover(outline, lines)
    spans = [span for span, _ in (*cover.steps.over(at), *cover.definitions.over(at))]
    inside_out = sorted(spans, key=lambda span: span[1] - span[0])
    for start, _ in inside_out:
        line, _ = lines.span(lines.line_of(start))
        if lines.line_of(start) != lines.line_of(inside_out[0][0]):
            return None  # a comment further up would allow more than this
        is_continued = lines.source[max(0, line - 3) : line].rstrip(b"\r\n").endswith(b"\\")
        if not lines.source[line:start].strip() and not is_continued:
            return line
    return None


def judge(
    allows: Iterable[Allow], used: Collection[tuple[Place, str]], rules: Collection[str], enabled: Callable[[str], bool], today: date
) -> Iterator[Finding]:
    """What is wrong with the comments of a file: `used` are the (place, rule) pairs that covered something, `rules` all that exist.

    A comment is unused only where its rule was `enabled` in this run.
    """
    guesses = 0
    for allow in allows:
        if allow.fault:
            message, fix = f"this comment {allow.fault}, so it allows nothing", "write: guardrails: allow RULE -- why it is safe here"
            yield Finding(UNJUSTIFIED, allow.place, message, fix, subject=", ".join(allow.rules))
        if not allow.rules:
            fix = "name the rule: guardrails: allow RULE -- reason"
            yield Finding(UNKNOWN, allow.place, "this comment names no rule, so it allows nothing", fix)
        useful = any((allow.place, rule) in used for rule in allow.rules)
        told: Counter[str] = Counter()
        for rule in allow.rules:
            if own := _own_rule(allow, rule, used, rules, enabled):
                told[own] += 1
                guesses += rule not in rules
                if told[own] <= MOST:
                    yield _judge_rule(allow, rule, rules, today, useful=useful, guess=guesses <= GUESSES)
        for own, number in sorted(told.items()):
            if number > MOST:
                message = f"and {number - MOST:,} more rules of this comment are {'unknown' if own == UNKNOWN else 'of no use here'}"
                yield Finding(own, allow.place, message, "take them out of the comment", subject="more")


def _own_rule(allow: Allow, rule: str, used: Collection[tuple[Place, str]], rules: Collection[str], enabled: Callable[[str], bool]) -> str:
    """What naming a rule in a comment goes against, "" where nothing."""
    if rule not in rules or rule in OWN_RULES:
        return UNKNOWN
    return "" if allow.fault or (allow.place, rule) in used or not enabled(rule) else UNUSED


def _judge_rule(allow: Allow, rule: str, rules: Collection[str], today: date, *, useful: bool, guess: bool) -> Finding:
    if rule not in rules:
        message = f"there is no rule {rule!r}, so nothing is allowed; {near(rule, rules) if guess else 'see `guardrails rules`'}"
        return Finding(UNKNOWN, allow.place, message, "name a rule that exists", subject=rule)
    if rule in OWN_RULES:
        message, fix = (
            f"{rule} cannot be allowed by a comment, so this one does nothing",
            "take it out, or `ignore` the rule in the configuration",
        )
        return Finding(UNKNOWN, allow.place, message, fix, subject=rule)
    if allow.until is not None and today > allow.until:
        message = f"this allowance of {rule} ended on {allow.until.isoformat()} and no longer holds"
        return Finding(UNUSED, allow.place, message, "mend the place, or renew the date with a reason", subject=rule)
    if useful:
        message = f"{rule} finds nothing here, so naming it here allows nothing"
        return Finding(UNUSED, allow.place, message, f"take `{rule}` out of the comment", subject=rule)
    message = f"{rule} finds nothing here, so this comment allows nothing"
    return Finding(UNUSED, allow.place, message, "take the comment out", subject=rule)


class _Spans(Generic[T]):
    """Spans with what they belong to, in order of their starts; made for many questions about a long file."""

    def __init__(self, spans: Iterable[tuple[Span, T]]) -> None:
        self.all = sorted(spans, key=lambda pair: (pair[0][0], -pair[0][1]))
        self.starts = [start for (start, _), _ in self.all]
        self.outer: list[int] = []  # by index, the span that each lies in: statements nest
        for (start, _), _ in self.all:
            at = len(self.outer) - 1
            while at >= 0 and self.all[at][0][1] <= start:
                at = self.outer[at]
            self.outer.append(at)

    def around(self, offset: int) -> Iterator[tuple[Span, T]]:
        """Those that begin before an offset and end behind it, inside out."""
        return self._inside_out(bisect_left(self.starts, offset) - 1, offset)

    def over(self, offset: int) -> Iterator[tuple[Span, T]]:
        """Those that hold an offset, inside out."""
        return self._inside_out(bisect_right(self.starts, offset) - 1, offset)

    def _inside_out(self, at: int, offset: int) -> Iterator[tuple[Span, T]]:
        while at >= 0:
            if self.all[at][0][1] > offset:
                yield self.all[at]
            at = self.outer[at]

    def starting(self, start: int, end: int) -> list[tuple[Span, T]]:
        """Those that begin in [start, end)."""
        return self.all[bisect_left(self.starts, start) : bisect_left(self.starts, end)]

    def ends_of(self, start: int, end: int) -> list[Span]:
        """The first and the last of those that begin in [start, end)."""
        first, last = bisect_left(self.starts, start), bisect_left(self.starts, end) - 1
        return [self.all[first][0], self.all[last][0]] if first <= last else []


class Index:
    """The comments of a file by what they allow on a day, made for many questions."""

    def __init__(self, allows: Iterable[Allow], today: date) -> None:
        groups: dict[str, dict[Span, list[int]]] = {}
        self.allows = tuple(allows)
        for number, one in enumerate(self.allows):
            if one.fault or (one.until is not None and today > one.until):
                continue
            for rule in one.rules if one.covers else ():
                if rule not in OWN_RULES:
                    for span in one.covers:
                        groups.setdefault(rule, {}).setdefault(span, []).append(number)
        self._spans = {rule: _Spans(spans.items()) for rule, spans in groups.items()}
        self._touched: set[tuple[str, Span]] = set()

    def first(self, rule: str, at: int) -> Allow | None:
        """The first comment that allows a finding of a rule that starts at an offset."""
        numbers = [group[0] for _, group in self._spans[rule].over(at)] if rule in self._spans else []
        return self.allows[min(numbers)] if numbers else None

    def use(self, rule: str, at: int) -> Iterator[Allow]:
        """The comments that allow a finding, as far as they were not yet said to be of use to another in the same place."""
        for span, group in self._spans[rule].over(at) if rule in self._spans else ():
            if (rule, span) not in self._touched:
                self._touched.add((rule, span))
                yield from (self.allows[number] for number in group)


class _Cover:
    """What a comment covers, from the spans of an outline's statements, functions and classes."""

    def __init__(self, outline: Outline, lines: Lines) -> None:
        self.lines = lines
        self.comments = [(comment.start, comment.end) for comment in outline.comments]
        steps = [(step.start, step.end) for function in outline.functions for step in function.steps if step.kind != "def"]
        steps += [(one.start, one.end) for one in outline.imports]
        self.steps = _Spans((span, None) for span in steps)
        named = (function for function in outline.functions if function.kind in ("function", "class"))
        self._brackets: dict[int, tuple[list[int], list[int]]] = {}
        self.definitions = _Spans((self._whole(function), function) for function in named)

    def spans(self, comment: Comment) -> tuple[Span, ...]:
        """The byte spans that a comment covers, none where no statement is near."""
        if head := self._head(comment):
            return (head,)
        if not comment.own_line:
            return self._on_line(comment)
        for span, _ in self.steps.around(comment.start):
            return (span,) if not self._is_in_body(span, comment) else self._next(comment)
        return self._next(comment)

    def _whole(self, function: Function) -> Span:
        """The span with decorators and their marks."""
        first = min([function.start, *(one.start for one in function.decorators)])
        start, _ = self.lines.span(self.lines.line_of(first))
        before = self.lines.source[start:first]
        return (first if before.strip(b" \t@") else start + len(before) - len(before.lstrip())), function.end

    def _head(self, comment: Comment) -> Span | None:
        """The definition in whose head (decorators to first statement) the comment stands; behind the name on its own line: in brackets."""
        for span, function in self.definitions.around(comment.start + 1):
            if comment.start < function.name_start:
                return span
            return span if self._is_in_head(function, comment) else None
        return None if comment.own_line else self._before(comment)

    def _is_in_head(self, function: Function, comment: Comment) -> bool:
        """Whether a comment behind the definition's name stands before its body."""
        first = self._first_inside(function)
        if comment.own_line:
            return comment.start < first and self._is_open(function.name_end, comment.start, first)
        on_line = self.lines.line_of(function.name_end) == self.lines.line_of(comment.start)
        return on_line or (comment.start < first and not self.steps.starting(self._line_start(comment), comment.start))

    def _before(self, comment: Comment) -> Span | None:
        """A definition that began and ended on the comment's line: `function f() { .. }  // guardrails: ..`."""
        here = self.definitions.starting(self._line_start(comment), comment.start)
        return next((span for span, _ in here if span[1] <= comment.start), None)

    def _first_inside(self, function: Function) -> int:
        """Where a definition's own statements begin."""
        inner = [start for start, _ in self.definitions.ends_of(function.name_end, function.end)]
        return min([step.start for step in function.steps[:1]] + inner, default=function.end)

    def _is_open(self, start: int, end: int, last: int) -> bool:
        """Whether a bracket that opens behind `start` is still open at `end`; all that is asked of a `start` lies before `last`."""
        if start not in self._brackets:
            self._brackets[start] = self._depths(start, last)
        places, depths = self._brackets[start]
        at = bisect_left(places, end)
        return at > 0 and depths[at - 1] > 0

    def _depths(self, start: int, last: int) -> tuple[list[int], list[int]]:
        """Where brackets stand in a span, and how many are open behind each."""
        code = bytearray(self.lines.source[start:last])
        for begin, stop in self.comments[bisect_left(self.comments, (start, start)) : bisect_left(self.comments, (last, last))]:
            code[begin - start : stop - start] = b" " * (min(stop, last) - begin)
        found = [match for match in _BRACKET.finditer(code) if match.lastgroup]
        steps = (1 if match.lastgroup == "open" else -1 for match in found)
        return [start + match.start() for match in found], list(accumulate(steps))

    def _is_in_body(self, span: Span, comment: Comment) -> bool:
        """Whether other statements lie inside this one (a closure's body), and the comment among them."""
        inner = self.steps.ends_of(span[0] + 1, span[1])
        return any(end <= comment.start or comment.start < start for start, end in inner)

    def _on_line(self, comment: Comment) -> tuple[Span, ...]:
        start = self._line_start(comment)
        around = (span for span, _ in self.steps.around(start))
        return self._beginning(start, comment.start) or tuple(span for span in [next(around, None)] if span)

    def _next(self, comment: Comment) -> tuple[Span, ...]:
        """What begins next, unless it stands further left: then the comment ends a block, and covers nothing."""
        size = len(self.lines.source) + 1
        steps, definitions = bisect_left(self.steps.starts, comment.end), bisect_left(self.definitions.starts, comment.end)
        step = next((span for span, _ in self.steps.all[steps : steps + 1]), (size, size))
        definition = next((span for span, _ in self.definitions.all[definitions : definitions + 1]), (size, size))
        first = min(step[0], definition[0])
        if first == size or self._indent(first) < self._indent(comment.start):
            return ()
        if definition[0] <= step[0]:
            return (definition,)
        _, end = self.lines.span(self.lines.line_of(first))
        return self._beginning(first, end)

    def _beginning(self, start: int, end: int) -> tuple[Span, ...]:
        """The statements that begin in [start, end); where they are many, as one span."""
        first, last = bisect_left(self.steps.starts, start), bisect_left(self.steps.starts, end)
        if last - first > MANY:
            return ((self.steps.starts[first], end),)
        return tuple(span for span, _ in self.steps.all[first:last])

    def _line_start(self, comment: Comment) -> int:
        return self.lines.span(self.lines.line_of(comment.start))[0]

    def _indent(self, offset: int) -> int:
        start, _ = self.lines.span(self.lines.line_of(offset))
        before = self.lines.source[start:offset]
        return len(before) - len(before.lstrip())
