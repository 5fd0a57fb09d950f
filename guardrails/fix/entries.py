"""Names in a setting, one or a list of them: those of `unsafe` are taken out, `safe` takes their place where nothing else is left."""

from __future__ import annotations

import libcst as cst

from guardrails.finding import Repair
from guardrails.fix.source import Edit, Source


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits; None where what stands there is written otherwise."""
    unsafe, safe = repair.values["unsafe"].split(","), repair.values["safe"]
    node = source.expression(repair.at)
    if isinstance(node, cst.SimpleString):
        return [_named(source, node, safe)] if node.evaluated_value in unsafe else None
    if not isinstance(node, cst.List | cst.Tuple | cst.Set):
        return None
    names = [one.value.evaluated_value if isinstance(one.value, cst.SimpleString) else None for one in node.elements]
    bad = [index for index, name in enumerate(names) if name in unsafe]
    if not bad:
        return None
    if safe in names or len(bad) > 1 or len(names) > len(bad):
        return _without(source, node, bad) if len(names) > len(bad) else None
    return [_named(source, node.elements[0].value, safe)]


def _named(source: Source, node: cst.BaseExpression, name: str) -> Edit:
    start, end = source.span(node)
    quote = source.slice(end - 1, end)
    return source.edit(start, end, f"{quote}{name}{quote}")


def _without(source: Source, node: cst.List | cst.Tuple | cst.Set, bad: list[int]) -> list[Edit] | None:
    """The elements taken out, each with the comma and the space on the side where a neighbour stays."""
    stays = [index for index in range(len(node.elements)) if index not in bad]
    if isinstance(node, cst.Tuple) and len(stays) < 2:
        return None
    found = []
    for index in bad:
        start, end = source.outer(node.elements[index].value)
        if index < stays[-1]:
            following = source.outer(node.elements[index + 1].value)[0]
            found.append(source.edit(start, following, ""))
        else:
            before = source.outer(node.elements[index - 1].value)[1]
            found.append(source.edit(before, end, ""))
    return found
