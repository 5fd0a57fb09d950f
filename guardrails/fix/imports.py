"""The name under which a module knows something: an import that is there, else one that is added where it belongs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import libcst as cst
import msgspec

from guardrails.fix import items
from guardrails.fix.source import Edit, Source

_Import = cst.Import | cst.ImportFrom


class Need(msgspec.Struct, frozen=True):
    """`from module import name`, or `import module` where no name is given."""

    module: str
    name: str = ""

    @property
    def line(self) -> str:
        """As it is written."""
        return f"from {self.module} import {self.name}" if self.name else f"import {self.module}"


class Known(msgspec.Struct, frozen=True):
    """The local name of what is needed, and the edits that bring it in."""

    name: str
    edits: tuple[Edit, ...] = ()


def parse(line: str) -> Need:
    """A need from an import as it is written."""
    words = line.split()
    return Need(words[1], words[3]) if words[0] == "from" else Need(words[1])


def known_as(source: Source, need: Need, offset: int) -> Known | None:
    """The name of what is needed at an offset; None where its usual name means something else there."""
    lines = [statement for statement in source.module.body if isinstance(statement, cst.SimpleStatementLine)]
    imports = [(line, small) for line in lines for small in line.body if isinstance(small, _Import)]
    for _, small in imports:
        for target, local in _bound(small):
            if target == (need.module, need.name):
                return Known(local) if local not in _local(source, need, offset) else None
    name = need.name or need.module
    if "." in name or name in _global(source, need) | _local(source, need, offset):
        return None
    return Known(name, tuple(_added(source, need, imports)))


def _bound(small: _Import) -> Iterator[tuple[tuple[str, str], str]]:
    """What an import binds: (module, name) and the local name."""
    if isinstance(small.names, cst.ImportStar):
        return
    for alias in small.names:
        local = alias.evaluated_alias or alias.evaluated_name
        if isinstance(small, cst.Import):
            yield (alias.evaluated_name, ""), local
        elif not small.relative:
            yield (_dotted(small.module), alias.evaluated_name), local


def _dotted(node: cst.BaseExpression | None) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


class _Taken(cst.CSTVisitor):
    """Collects the names that are bound in a node, but for imports of what is needed; `inside` functions and classes, too."""

    def __init__(self, need: Need, inside: bool) -> None:
        super().__init__()
        self.need, self.inside, self.names = need, inside, set[str]()

    def _add(self, node: cst.CSTNode | None) -> None:
        if isinstance(node, cst.Name):
            self.names.add(node.value)
        elif isinstance(node, cst.Tuple | cst.List):
            for element in node.elements:
                self._add(element.value)

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._add(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._add(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._add(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._add(node.target)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._add(node.target)

    def visit_AsName(self, node: cst.AsName) -> None:
        self._add(node.name)

    def visit_Param(self, node: cst.Param) -> None:
        self._add(node.name)

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return self.inside

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        self._add(node.name)
        return self.inside

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        self._add(node.name)
        return self.inside

    def visit_Import(self, node: cst.Import) -> bool:
        self.names.update(local for target, local in _bound(node) if target != (self.need.module, self.need.name))
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        if node.relative and not isinstance(node.names, cst.ImportStar):
            self.names.update(alias.evaluated_alias or alias.evaluated_name for alias in node.names)
        self.names.update(local for target, local in _bound(node) if target != (self.need.module, self.need.name))
        return False


def _global(source: Source, need: Need) -> set[str]:
    visitor = _Taken(need, inside=False)
    source.module.visit(visitor)
    return visitor.names


def _local(source: Source, need: Need, offset: int) -> set[str]:
    """The names that the functions around an offset bind."""
    visitor = _Taken(need, inside=True)
    for function in source.functions(offset):
        function.params.visit(visitor)
        function.body.visit(visitor)
    return visitor.names


def _added(source: Source, need: Need, imports: Sequence[tuple[cst.SimpleStatementLine, _Import]]) -> list[Edit]:
    for _, small in imports:
        if not need.name or not isinstance(small, cst.ImportFrom) or small.relative or isinstance(small.names, cst.ImportStar):
            continue
        if _dotted(small.module) == need.module:
            return _joined(source, small, need.name)
    return [_line_added(source, need, _head(source, imports))]


def _joined(source: Source, small: cst.ImportFrom, name: str) -> list[Edit]:
    """One more name in an import that is there, in order where the others are."""
    assert not isinstance(small.names, cst.ImportStar)
    names = [alias.evaluated_name for alias in small.names]
    later = next((alias for alias in small.names if alias.evaluated_name.lower() > name.lower()), None)
    if later is not None and names == sorted(names, key=str.lower):
        return items.before(source, later, name)
    close = source.span(small.rpar)[0] if small.rpar is not None else source.line_end(source.span(small)[1])
    return items.append(source, small.names, close, name)


def _head(source: Source, imports: Sequence[tuple[cst.SimpleStatementLine, _Import]]) -> list[tuple[cst.SimpleStatementLine, _Import]]:
    """The imports at the head of the module: no other statement but the docstring stands before them."""
    lines = {line for line, _ in imports}
    found: list[tuple[cst.SimpleStatementLine, _Import]] = []
    for index, statement in enumerate(source.module.body):
        if statement in lines:
            found.extend(pair for pair in imports if pair[0] is statement)
        elif found or index or not _is_docstring(statement):
            break
    return found


def _is_docstring(statement: cst.CSTNode) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )


def _line_added(source: Source, need: Need, head: Sequence[tuple[cst.SimpleStatementLine, _Import]]) -> Edit:
    """A line of its own among the imports: beside its kind, in their order."""
    if not head:
        return _first_line(source, need)
    kind = _kind(need.module)
    same = [(line, small) for line, small in head if _kind_of(small) == kind]
    if not same:
        return _group_added(source, need, head, kind)
    group = _last_group(source, same)
    after = [line for line, small in group if _order(small) <= _order_of(need)]
    if after:
        end = _end_of(source, after[-1])
        return source.edit(end, end, f"\n{need.line}", _kind(need.module))
    start = source.span(group[0][0])[0]
    return source.edit(start, start, f"{need.line}\n", _kind(need.module))


def _last_group(
    source: Source, same: Sequence[tuple[cst.SimpleStatementLine, _Import]]
) -> Sequence[tuple[cst.SimpleStatementLine, _Import]]:
    """Of imports of one kind, those that stand together with the first."""
    found = [same[0]]
    for one in same[1:]:
        between = source.slice(_end_of(source, found[-1][0]), source.span(one[0])[0])
        if between.strip() or between.count("\n") + between.count("\r") > 2:
            break
        found.append(one)
    return found


def _group_added(source: Source, need: Need, head: Sequence[tuple[cst.SimpleStatementLine, _Import]], kind: int) -> Edit:
    """The first import of its kind: a group before that of the next kind, or after the last."""
    later = next((line for line, small in head if _kind_of(small) > kind), None)
    if later is not None:
        start = source.line_start(_with_comments(source, later))
        return source.edit(start, start, f"{need.line}\n\n", _kind(need.module))
    end = _end_of(source, head[-1][0])
    return source.edit(end, end, f"\n\n{need.line}", _kind(need.module))


def _with_comments(source: Source, line: cst.SimpleStatementLine) -> int:
    """Where a statement begins with the comments right above it."""
    start = source.span(line)[0]
    comments = []
    for empty in reversed(line.leading_lines):
        if empty.comment is None:
            break
        comments.append(source.span(empty.comment)[0])
    return min([start, *comments])


def _first_line(source: Source, need: Need) -> Edit:
    """No import is there: below the docstring, else above the first statement."""
    body = source.module.body
    if body and _is_docstring(body[0]):
        end = _end_of(source, body[0])
        return source.edit(end, end, f"\n\n{need.line}", _kind(need.module))
    if not body:
        end = len(source.data)
        return source.edit(end, end, f"{need.line}\n", _kind(need.module))
    start = source.line_start(source.span(body[0])[0])
    return source.edit(start, start, f"{need.line}\n\n", _kind(need.module))


def _end_of(source: Source, statement: cst.CSTNode) -> int:
    """The end of a statement's last line, behind its comment."""
    return source.line_end(source.span(statement)[1])


def _kind(module: str) -> int:
    """0 for the future, 1 for the standard library, 2 for others."""
    root = module.partition(".")[0]
    return 0 if root == "__future__" else 1 if root in sys.stdlib_module_names else 2


def _kind_of(small: _Import) -> int:
    if isinstance(small, cst.ImportFrom):
        return 3 if small.relative else _kind(_dotted(small.module))
    return _kind(small.names[0].evaluated_name)


def _order(small: _Import) -> tuple[bool, str]:
    if isinstance(small, cst.ImportFrom):
        return True, _dotted(small.module).lower()
    return False, small.names[0].evaluated_name.lower()


def _order_of(need: Need) -> tuple[bool, str]:
    return bool(need.name), need.module.lower()
