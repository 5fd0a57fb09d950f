"""One more item in a list that is written out: arguments of a call, names of an import, elements of a list."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from guardrails.fix.source import Edit, Source

WIDEST = 88  # columns beyond which a line is not made longer where another can be begun


def append(source: Source, items: Sequence[cst.CSTNode], close: int, text: str) -> list[Edit]:
    """An item after the last, in the style of those that are there; `close` is the offset of what closes the list."""
    last = items[-1]
    start, end = _own_span(source, last)
    comma = getattr(last, "comma", cst.MaybeSentinel.DEFAULT)
    indent = source.indent(start)
    if isinstance(comma, cst.Comma):
        end = source.span(comma)[1]
        if indent is None or source.line_end(end) >= close:
            return [source.edit(end, end, f" {text}")]
        line = source.line_end(end)
        return [source.edit(line, line, f"\n{indent}{text},")]
    line = source.line_end(end)
    if indent is None or (line >= close and (len(items) < 2 or _fits(source, end, close, text))):
        return [source.edit(end, end, f", {text}")]
    if line >= close or line == end:
        return [source.edit(end, end, f",\n{indent}{text}")]
    return [source.edit(end, end, ","), source.edit(line, line, f"\n{indent}{text}")]


def before(source: Source, item: cst.CSTNode, text: str) -> list[Edit]:
    """An item before another: on a line of its own where that one has one."""
    start, _ = _own_span(source, item)
    indent = source.indent(start)
    return [source.edit(start, start, f"{text}, " if indent is None else f"{text},\n{indent}")]


def _fits(source: Source, end: int, close: int, text: str) -> bool:
    return close - source.line_start(end) + len(text) + 2 <= WIDEST


def _own_span(source: Source, item: cst.CSTNode) -> tuple[int, int]:
    """Where an item begins and ends, without the comma behind it and with its parentheses."""
    if isinstance(item, cst.Arg):
        begin = item.keyword if item.keyword is not None else item.value
        start = source.outer(begin)[0] if isinstance(begin, cst.BaseExpression) else source.span(begin)[0]
        if item.star:
            start = source.span(item)[0]
        return start, source.outer(item.value)[1]
    if isinstance(item, cst.Element | cst.StarredElement):
        return source.outer(item.value)
    if isinstance(item, cst.ImportAlias):
        name = item.asname.name if item.asname is not None else item.name
        return source.span(item.name)[0], source.span(name)[1]
    return source.span(item)
