"""An attribute of a class: `name`, `code`; it stands behind the class's first attributes, else below its docstring."""

from __future__ import annotations

import libcst as cst

from guardrails.finding import Repair
from guardrails.fix.source import Edit, Source


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits; None where no class of that name stands there, or it is written on one line."""
    name = source.at(repair.at, cst.Name)
    owner = source.parent(name) if name is not None else None
    if not isinstance(owner, cst.ClassDef) or not isinstance(owner.body, cst.IndentedBlock):
        return None
    text = f"{repair.values['name']} = {repair.values['code']}"
    body = owner.body.body
    simple = [statement for statement in body if isinstance(statement, cst.SimpleStatementLine)]
    settings = [line for line in simple if isinstance(line.body[0], cst.Assign | cst.AnnAssign)]
    first = source.span(body[0])[0]
    indent = source.indent(first)
    if indent is None:
        return None
    if settings:
        end = source.line_end(source.span(settings[-1])[1])
        return [source.edit(end, end, f"\n{indent}{text}")]
    if simple and simple[0] is body[0] and isinstance(simple[0].body[0], cst.Expr):
        end = source.line_end(source.span(body[0])[1])
        return [source.edit(end, end, f"\n\n{indent}{text}")]
    if isinstance(body[0], cst.FunctionDef) and body[0].decorators:
        first = source.span(body[0].decorators[0])[0]
    return [source.edit(first, first, f"{text}\n\n{indent}")]
