"""A secret that a log call writes: masked by `helper`, else replaced by stars. `spans` are the places of the secrets: `12-20,31-40`."""

from __future__ import annotations

import libcst as cst

from guardrails.finding import Repair
from guardrails.fix.needed import filled
from guardrails.fix.source import Edit, Source
from guardrails.place import Place

STARS = "***"


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits; None where one of the places is no expression."""
    made = filled(source, repair)
    if made is None:
        return None
    given, more = made
    spans = [tuple(map(int, pair.split("-"))) for pair in given["spans"].split(",")]
    found: list[Edit] = []
    for start, end in sorted(spans):
        if any(edit.start <= start and end <= edit.end for edit in found):
            continue
        masked = _masked(source, Place(repair.at.path, start, end), given["helper"])
        if masked is None:
            return None
        found += masked
    return [*found, *more]


def _masked(source: Source, at: Place, helper: str) -> list[Edit] | None:
    node = source.expression(at)
    if node is None:
        return None
    if helper:
        return [source.edit(at.start, at.end, f"{helper}({source.slice(at.start, at.end)})")]
    parent = source.parent(node)
    if isinstance(parent, cst.FormattedStringExpression):
        return _starred(source, parent)
    if source.around(node, cst.FormattedStringExpression) is not None:
        return None
    start, end = source.outer(node)
    return [source.edit(start, end, f"{source.quote}{STARS}{source.quote}")]


def _starred(source: Source, part: cst.FormattedStringExpression) -> list[Edit]:
    """Stars in a formatted string; one that has nothing else to format is a plain string from then on."""
    text = source.parent(part)
    found = [source.edit(*source.span(part), STARS)]
    if isinstance(text, cst.FormattedString) and "f" in text.start.lower():
        alone = sum(isinstance(one, cst.FormattedStringExpression) for one in text.parts) == 1
        plain = not any("{{" in one.value or "}}" in one.value for one in text.parts if isinstance(one, cst.FormattedStringText))
        if alone and plain:
            mark = source.span(text)[0] + text.start.lower().index("f")
            found.insert(0, source.edit(mark, mark + 1, ""))
    return found
