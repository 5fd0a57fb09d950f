"""A row in a task's arguments: its key goes instead, and the task loads the row by it. All of it in the task's own module.

`payload` is the place of the row, `job` that of the task's name, `call` where its only hand-over starts, `load` the code that reads a row.
"""

from __future__ import annotations

import libcst as cst

from guardrails.finding import Repair
from guardrails.fix.source import Edit, Source
from guardrails.place import Place


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits; None where the task is used otherwise, or its parameter cannot be told."""
    values = repair.values
    row = source.at(_place(repair, values["payload"]), cst.Name)
    task = source.parent(source.at(_place(repair, values["job"]), cst.Name) or source.module)
    arg = source.parent(row) if row is not None else None
    if row is None or not isinstance(arg, cst.Arg) or not isinstance(task, cst.FunctionDef) or task.asynchronous is not None:
        return None
    param = _parameter(source, task, arg)
    model = values["load"].partition(".")[0]
    if param is None or not isinstance(task.body, cst.IndentedBlock) or not _is_known(source, model):
        return None
    key = f"{param.name.value}_id"
    if key in source.code(task) or _is_used_otherwise(source, task, int(values["call"])):
        return None
    line = f"{param.name.value} = {values['load'].replace('{key}', key)}"
    end = source.outer(row)[1]
    changed = [source.edit(end, end, ".pk"), _renamed(source, param, key), _loaded(source, task.body, line)]
    if arg.keyword is not None:
        changed.append(source.edit(*source.span(arg.keyword), key))
    return [one for one in changed if one is not None] if all(changed) else None


def _place(repair: Repair, span: str) -> Place:
    start, end = map(int, span.split("-"))
    return Place(repair.at.path, start, end)


def _parameter(source: Source, task: cst.FunctionDef, arg: cst.Arg) -> cst.Param | None:
    """The task's parameter that takes an argument; a bound task's first is the task itself."""
    params = list(task.params.params)
    if arg.keyword is not None:
        return next((param for param in params if param.name.value == arg.keyword.value), None)
    call = source.around(arg, cst.Call)
    if call is None or any(one.star for one in call.args) or arg not in call.args:
        return None
    index = call.args.index(arg) + _is_bound(task)
    return params[index] if index < len(params) else None


def _is_bound(task: cst.FunctionDef) -> bool:
    marks = [mark.decorator for mark in task.decorators if isinstance(mark.decorator, cst.Call)]
    named = [arg for mark in marks for arg in mark.args if arg.keyword is not None and arg.keyword.value == "bind"]
    return any(isinstance(arg.value, cst.Name) and arg.value.value == "True" for arg in named)


def _is_known(source: Source, model: str) -> bool:
    """The module itself knows the model's name."""
    for statement in source.module.body:
        if isinstance(statement, cst.ClassDef) and statement.name.value == model:
            return True
        smalls = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
        for small in smalls:
            names = small.names if isinstance(small, cst.ImportFrom) and not isinstance(small.names, cst.ImportStar) else ()
            if any((alias.evaluated_alias or alias.evaluated_name) == model for alias in names):
                return True
    return False


class _Uses(cst.CSTVisitor):
    """Collects where a name is used."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.found = name, list[cst.Name]()

    def visit_Name(self, node: cst.Name) -> None:
        if node.value == self.name:
            self.found.append(node)


def _is_used_otherwise(source: Source, task: cst.FunctionDef, call: int) -> bool:
    """The task is named anywhere but in its definition and in its hand-over."""
    uses = _Uses(task.name.value)
    source.module.visit(uses)
    return any(node is not task.name and source.span(node)[0] != call for node in uses.found)


def _renamed(source: Source, param: cst.Param, key: str) -> Edit | None:
    """The parameter takes the key; a type that was the row's goes."""
    if param.default is not None:
        return None
    start, end = source.span(param.name)
    if param.annotation is not None:
        end = source.outer(param.annotation.annotation)[1]
    return source.edit(start, end, key)


def _loaded(source: Source, body: cst.IndentedBlock, line: str) -> Edit | None:
    """The row is read first, below the docstring."""
    first = body.body[0]
    start, end = source.span(first)
    indent = source.indent(start)
    if indent is None:
        return None
    small = first.body[0] if isinstance(first, cst.SimpleStatementLine) else None
    if isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString | cst.ConcatenatedString):
        last = source.line_end(end)
        return source.edit(last, last, f"\n{indent}{line}")
    begin = source.line_start(start)
    return source.edit(begin, begin, f"{indent}{line}\n")
