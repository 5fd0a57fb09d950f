"""A hand-over that waits for the commit: `hook` is given the call as a function, its arguments bound now, so that loops stay right."""

from __future__ import annotations

import re
from itertools import pairwise

import libcst as cst

from guardrails.finding import Repair
from guardrails.fix import imports
from guardrails.fix.needed import filled
from guardrails.fix.source import Edit, Source


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits; None where the call is no statement of its own."""
    call = source.at(repair.at, cst.Call)
    made = filled(source, repair)
    if call is None or made is None or not isinstance(source.parent(call), cst.Expr) or call.lpar:
        return None
    given, more = made
    extra = f", using={given['using']}" if given.get("using") else ""
    start, end = source.span(call)
    _, func = source.outer(call.func)
    if not call.args:
        inside = source.slice(func, end)
        whole = [source.edit(start, start, f"{given['hook']}("), source.edit(func, end, f"{extra})")]
        return [*whole, *more] if inside.strip("() \t") == "" else None
    bound = _partial(source, start)
    first = source.data.find(b"(", func) + 1
    if bound is None or _has_bare_generator(call):
        return None
    lines = _lines(source, call, first, end)
    if lines is not None:
        return [*_spread(source, call, (given["hook"], bound.name, extra), lines), *more, *bound.edits]
    gap = "" if source.slice(first, first + 1) in ("\n", "\r") else " "
    return [
        source.edit(start, start, f"{given['hook']}({bound.name}("),
        source.edit(func, first, f",{gap}"),
        source.edit(end, end, f"{extra})"),
        *more,
        *bound.edits,
    ]


def _partial(source: Source, offset: int) -> imports.Known | None:
    """`partial`, or `functools.partial` where the short name means something else."""
    short = imports.known_as(source, imports.Need("functools", "partial"), offset)
    module = imports.known_as(source, imports.Need("functools"), offset) if short is None else None
    return short if module is None else imports.Known(f"{module.name}.partial", module.edits)


def _lines(source: Source, call: cst.Call, first: int, end: int) -> list[int] | None:
    """Where the lines of a call begin that has its arguments, and what closes it, on lines of their own; None for other calls."""
    begin = source.line_end(first)
    closing = source.indent(end - 1)
    if source.slice(first, begin).strip() or begin >= end or closing is None or closing != source.indent(source.span(call)[0]):
        return None
    visitor = _Texts(source)
    call.visit(visitor)
    return None if visitor.long else [match.end() + begin for match in re.finditer(rb"\r\n|\n|\r", source.data[begin:end])]


def _spread(source: Source, call: cst.Call, words: tuple[str, str, str], lines: list[int]) -> list[Edit]:
    """The call below the hook, one step further in at every line, as a formatter would write it."""
    hook, partial, extra = words
    start, end = source.span(call)
    _, func = source.outer(call.func)
    outer, step = source.indent(start) or "", source.module.default_indent
    first = source.data.find(b"(", func) + 1
    deeper = [source.edit(at, at, step) for at in lines if source.slice(at, source.line_end(at)).strip()]
    using = f",\n{outer}{step}{extra[2:]}," if extra else ""
    if len(lines) == 2:
        deeper += _one_a_line(source, call, f"\n{outer}{step}{step}")
    return [
        source.edit(start, start, f"{hook}(\n{outer}{step}{partial}(\n{outer}{step}{step}"),
        source.edit(func, first, ","),
        *deeper,
        source.edit(end, end, f"{using}\n{outer})"),
    ]


def _one_a_line(source: Source, call: cst.Call, gap: str) -> list[Edit]:
    """Arguments that share a line, each on its own."""
    found = []
    for arg, following in pairwise(call.args):
        if isinstance(arg.comma, cst.Comma):
            found.append(source.edit(source.span(arg.comma)[1], source.span(following)[0], gap))
    last = call.args[-1]
    if not isinstance(last.comma, cst.Comma):
        end = source.outer(last.value)[1]
        found.append(source.edit(end, end, ","))
    return found


class _Texts(cst.CSTVisitor):
    """Says whether a text of several lines stands in a node: its lines cannot be moved."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source, self.long = source, False

    def visit_SimpleString(self, node: cst.SimpleString) -> None:
        self.long = self.long or "\n" in node.value or "\r" in node.value

    def visit_FormattedString(self, node: cst.FormattedString) -> bool:
        start, end = self.source.span(node)
        text = self.source.slice(start, end)
        self.long = self.long or "\n" in text or "\r" in text
        return True


def _has_bare_generator(call: cst.Call) -> bool:
    return any(isinstance(arg.value, cst.GeneratorExp) and not arg.value.lpar for arg in call.args)
