"""Allow comments: `# guardrails: allow RULE[, RULE] [until YYYY-MM-DD] -- reason` (`//` in TypeScript and Rust).

On a line of its own a comment covers the next statement: of a function or class the whole, decorators included; of another compound
statement its head. At the end of a line it covers the statement on that line, the innermost one where it goes over several lines; at the
end of a line of a function's or class's head, the whole. Without a reason nothing is allowed.

What this module itself reports cannot be allowed by a comment: such a finding is switched off in the configuration or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import date

import msgspec

from guardrails.config import near
from guardrails.finding import Finding
from guardrails.lines import Lines
from guardrails.outline import Comment, Expr, Function, Import, Outline, Step
from guardrails.place import Place

UNJUSTIFIED, UNUSED, UNKNOWN = "unjustified-allow", "unused-allow", "unknown-rule-in-allow"
OWN_RULES = frozenset({UNJUSTIFIED, UNUSED, UNKNOWN})

_COMMENT = re.compile(r"(?:#+|//[/!]?|/\*+)\s*guardrails:\s*allow\b\s*(?P<rest>.*?)\s*(?:\*+/)?\s*\Z", re.DOTALL)
_UNTIL = re.compile(r"(?:^|\s)until\b\s*(?P<day>.*)\Z", re.DOTALL)
_REASON = re.compile(r"(?:^|\s)--(?:\s+|\Z)")
_STRING = re.compile(rb"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'")

Span = tuple[int, int]


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
    found = [(comment, match["rest"]) for comment in likely if (match := _COMMENT.match(comment.text))]
    if not found:
        return ()
    cover = _Cover(outline, lines)
    return tuple(_allow(path, comment, rest, cover.spans(comment)) for comment, rest in found)


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


def judge(
    allows: Iterable[Allow], used: Collection[tuple[Place, str]], rules: Collection[str], enabled: Callable[[str], bool], today: date
) -> Iterator[Finding]:
    """What is wrong with the comments of a file: `used` are the (place, rule) pairs that covered something, `rules` all that exist.

    A comment is unused only where its rule was `enabled` in this run.
    """
    for allow in allows:
        if allow.fault:
            message, fix = f"this comment {allow.fault}, so it allows nothing", "write: guardrails: allow RULE -- why it is safe here"
            yield Finding(UNJUSTIFIED, allow.place, message, fix, subject=", ".join(allow.rules))
        if not allow.rules:
            fix = "name the rule: guardrails: allow RULE -- reason"
            yield Finding(UNKNOWN, allow.place, "this comment names no rule, so it allows nothing", fix)
        for rule in allow.rules:
            if finding := _judge_rule(allow, rule, used, rules, enabled, today):
                yield finding


def _judge_rule(
    allow: Allow, rule: str, used: Collection[tuple[Place, str]], rules: Collection[str], enabled: Callable[[str], bool], today: date
) -> Finding | None:
    if rule not in rules:
        message = f"there is no rule {rule!r}, so nothing is allowed; {near(rule, rules)}"
        return Finding(UNKNOWN, allow.place, message, "name a rule that exists", subject=rule)
    if rule in OWN_RULES:
        message, fix = (
            f"{rule} cannot be allowed by a comment, so this one does nothing",
            "take it out, or `ignore` the rule in the configuration",
        )
        return Finding(UNKNOWN, allow.place, message, fix, subject=rule)
    if allow.fault or (allow.place, rule) in used or not enabled(rule):
        return None
    if allow.until is not None and today > allow.until:
        message = f"this allowance of {rule} ended on {allow.until.isoformat()} and no longer holds"
        return Finding(UNUSED, allow.place, message, "mend the place, or renew the date with a reason", subject=rule)
    message = f"{rule} finds nothing here, so this comment allows nothing"
    return Finding(UNUSED, allow.place, message, "take the comment out", subject=rule)


class _Cover:
    """What a comment covers, from the spans of an outline's statements, functions and classes."""

    def __init__(self, outline: Outline, lines: Lines) -> None:
        self.lines = lines
        self.comments = [(comment.start, comment.end) for comment in outline.comments]
        steps: list[Step | Import] = [step for function in outline.functions for step in function.steps if step.kind != "def"]
        self.steps = sorted([*steps, *outline.imports], key=lambda step: (step.start, step.end))
        self.definitions = [(self._whole(function), function) for function in outline.functions if function.kind in ("function", "class")]

    def spans(self, comment: Comment) -> tuple[Span, ...]:
        """The byte spans that a comment covers, none where no statement is near."""
        if head := self._head(comment):
            return (head,)
        if not comment.own_line:
            return self._on_line(comment)
        inside = [step for step in self.steps if step.start < comment.start < step.end and not self._in_body(step, comment)]
        if inside:
            return (_span(min(inside, key=_size)),)
        return self._next(comment)

    def _whole(self, function: Function) -> Span:
        """The span with decorators; from the start of its line, so that the decorator's mark is in it."""
        first = min([function.start, *(one.start for one in function.decorators)])
        start, _ = self.lines.span(self.lines.line_of(first))
        before = self.lines.source[start:first]
        return (start + len(before) - len(before.lstrip()) if not before.strip(b" \t@") else first), function.end

    def _head(self, comment: Comment) -> Span | None:
        """The definition in whose head (decorators to first statement) the comment stands; on a line of its own only within brackets."""
        around = [(span, function) for span, function in self.definitions if span[0] <= comment.start < span[1]]
        if not around:
            return self._one_line_head(comment)
        span, function = min(around, key=lambda pair: pair[0][1] - pair[0][0])
        if comment.start < function.name_start:
            return None if comment.own_line and not _inside(comment, function.decorators) else span
        first = self._first_inside(function)
        if comment.own_line:
            return span if comment.start < first and self._is_open(function.name_end, comment.start) else None
        on_line = self.lines.line_of(function.name_end) == self.lines.line_of(comment.start)
        return span if on_line or (comment.start < first and self._starts_no_statement(comment)) else None

    def _one_line_head(self, comment: Comment) -> Span | None:
        """A definition that ends on the comment's line and began there, too: `def f(): ...  # guardrails: ...`."""
        if comment.own_line:
            return None
        line = self.lines.line_of(comment.start)
        before = [(span, function) for span, function in self.definitions if span[1] <= comment.start]
        return min((span for span, function in before if self.lines.line_of(function.name_start) == line), default=None)

    def _first_inside(self, function: Function) -> int:
        """Where a definition's own statements begin."""
        inner = [step.start for step in function.steps[:1]]
        inner += [span[0] for span, one in self.definitions if function.name_end < span[0] and span[1] <= function.end]
        return min(inner, default=function.end)

    def _starts_no_statement(self, comment: Comment) -> bool:
        start, _ = self.lines.span(self.lines.line_of(comment.start))
        return not any(start <= step.start < comment.start for step in self.steps)

    def _is_open(self, start: int, end: int) -> bool:
        """Whether a bracket that opens behind `start` is still open at `end`."""
        code, at = [], start
        for first, last in self.comments:
            if start <= first < end:
                code.append(self.lines.source[at:first])
                at = last
        text = _STRING.sub(b"", b"".join([*code, self.lines.source[at:end]]))
        return text.count(b"(") + text.count(b"[") > text.count(b")") + text.count(b"]")

    def _in_body(self, step: Step | Import, comment: Comment) -> bool:
        """Whether the comment stands among statements that lie inside this one (a closure's body)."""
        inner = [one for one in self.steps if step.start < one.start and one.end <= step.end]
        return any(one.end <= comment.start or comment.start < one.start for one in inner)

    def _on_line(self, comment: Comment) -> tuple[Span, ...]:
        start, _ = self.lines.span(self.lines.line_of(comment.start))
        starting = tuple(_span(step) for step in self.steps if start <= step.start < comment.start)
        if starting:
            return starting
        around = [step for step in self.steps if step.start < start and step.end > start]
        return (_span(min(around, key=_size)),) if around else ()

    def _next(self, comment: Comment) -> tuple[Span, ...]:
        """What begins next, unless it stands further left: then the comment ends a block, and covers nothing."""
        starts = [(span[0], 0, span) for span, _ in self.definitions if span[0] >= comment.end]
        starts += [(step.start, 1, _span(step)) for step in self.steps if step.start >= comment.end]
        if not starts:
            return ()
        first, is_step, span = min(starts)
        if self._column(first) < self._column(comment.start):
            return ()
        line = self.lines.line_of(first)
        return tuple(one for at, kind, one in starts if kind and self.lines.line_of(at) == line) if is_step else (span,)

    def _column(self, offset: int) -> int:
        start, _ = self.lines.span(self.lines.line_of(offset))
        before = self.lines.source[start:offset]
        return len(before) - len(before.lstrip())


def _inside(comment: Comment, expressions: Iterable[Expr]) -> bool:
    return any(one.start < comment.start < one.end for one in expressions)


def _span(step: Step | Import) -> Span:
    return step.start, step.end


def _size(step: Step | Import) -> int:
    return step.end - step.start
