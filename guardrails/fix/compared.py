"""A comparison that takes the same time whatever it is given. `kind`: text or bytes where both sides are known to be, "" else."""

from __future__ import annotations

import libcst as cst

from guardrails.finding import Repair
from guardrails.fix.needed import filled
from guardrails.fix.source import Edit, Source


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits; None where no comparison of two values stands there."""
    made = filled(source, repair)
    op = source.at(repair.at, cst.Comparison)
    if made is None or op is None or len(op.comparisons) != 1:
        return None
    given, more = made
    sign = op.comparisons[0].operator
    if not isinstance(sign, cst.Equal | cst.NotEqual):
        return None
    parts = ((op.left, given["left"]), (op.comparisons[0].comparator, given["right"]))
    left, right = (_spelled(source, side, given["kind"], how if not _is_asked(source, op, side) else "") for side, how in parts)
    text = f"{given['call']}({left}, {right})"
    start, end = source.span(op)
    return [source.edit(start, end, text if isinstance(sign, cst.Equal) else _negated(source, op, text)), *more]


def _negated(source: Source, op: cst.Comparison, text: str) -> str:
    """`not ..`, in parentheses where something binds closer."""
    parent = source.parent(op)
    closer = isinstance(parent, cst.Comparison | cst.ComparisonTarget | cst.BinaryOperation | cst.Attribute | cst.Subscript | cst.Await)
    return f"(not {text})" if closer and not op.lpar else f"not {text}"


def _is_asked(source: Source, op: cst.Comparison, side: cst.BaseExpression) -> bool:
    """The same condition asks before whether there is anything: `token and token == wanted`."""
    code, node = source.code(side), source.around(op, cst.BooleanOperation)
    while node is not None and isinstance(node.operator, cst.And):
        asked: list[cst.BaseExpression] = [node.left]
        while asked:
            one = asked.pop()
            if isinstance(one, cst.BooleanOperation) and isinstance(one.operator, cst.And):
                asked += [one.left, one.right]
            elif one is not op and source.code(one) == code:
                return True
        node = source.around(node, cst.BooleanOperation)
    return False


def _spelled(source: Source, side: cst.BaseExpression, kind: str, how: str) -> str:
    """Text as bytes, since only ASCII texts can be compared as they are; nothing as empty."""
    code = source.code(side)
    if how == "maybe":
        code = f"{code} or {'b' if kind == 'bytes' else ''}{source.quote}{source.quote}"
        return f"({code}).encode()" if kind == "text" else code
    if kind != "text":
        return code
    simple = isinstance(side, cst.Name | cst.Attribute | cst.Call | cst.Subscript | cst.SimpleString | cst.FormattedString) or side.lpar
    return f"{code}.encode()" if simple else f"({code}).encode()"
