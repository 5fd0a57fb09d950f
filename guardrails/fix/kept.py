"""A task that the event loop holds only weakly: a module-level set keeps it until it is done (the idiom of asyncio's documentation)."""

from __future__ import annotations

import re

import libcst as cst

from guardrails.finding import Repair
from guardrails.fix.source import Edit, Source

_SET = "_background_tasks"


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits; None where the call is neither a statement of its own nor assigned to one name."""
    call = source.at(repair.at, cst.Call)
    line = source.statement(call) if call is not None else None
    if call is None or line is None or call.lpar:
        return None
    start, end = source.span(line)
    indent, parent = source.indent(start), source.parent(call)
    if isinstance(parent, cst.Expr):
        name = _free(source, "task")
        given = [source.edit(start, start, f"{name} = ")]
    elif isinstance(parent, cst.Assign) and len(parent.targets) == 1 and isinstance(parent.targets[0].target, cst.Name):
        name, given = parent.targets[0].target.value, []
    else:
        return None
    made = _made(source)
    if made is None:
        return None
    last = source.line_end(end)
    keep = f"\n{indent}{_SET}.add({name})\n{indent}{name}.add_done_callback({_SET}.discard)"
    return [*given, source.edit(last, last, keep), *made]


def _free(source: Source, name: str) -> str:
    """A name that the file does not use: the name itself, else with a word before it."""
    return name if re.search(rf"\b{name}\b", source.text) is None else f"background_{name}"


def _made(source: Source) -> list[Edit] | None:
    """The set, behind the imports, unless the module has it."""
    if re.search(rf"^{_SET}\b.*=", source.text, re.MULTILINE):
        return []
    if re.search(rf"\b{_SET}\b", source.text):
        return None
    last = None
    for statement in source.module.body:
        if isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Import | cst.ImportFrom):
            last = statement
    if last is None:
        return None
    end = source.line_end(source.span(last)[1])
    return [source.edit(end, end, f"\n\n{_SET}: set = set()  # the event loop itself holds tasks only weakly")]
