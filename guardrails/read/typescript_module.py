"""Imports and exports of TypeScript and JavaScript, and `require`."""

from __future__ import annotations

import re

from tree_sitter import Node

from guardrails.outline import Attr, Call, Expr, Group, Literal_, Pair, Ref
from guardrails.read.tree import Reader, first, has_token, parts
from guardrails.read.typescript_expr import named

_EXTENSION = re.compile(r"\.[cm]?[jt]sx?$")
_DECLARED = frozenset({"function_declaration", "generator_function_declaration", "class_declaration", "abstract_class_declaration",
                       "function_signature", "interface_declaration", "enum_declaration"})  # fmt: skip


def _source(r: Reader, node: Node) -> str | None:
    source = node.child_by_field_name("source")
    return None if source is None else _specifier(r.text(source)[1:-1])


def _specifier(raw: str) -> str:
    """Relative ones without the extension, which the project's files may not have."""
    return _EXTENSION.sub("", raw) if raw.startswith(".") else raw


def import_statement(r: Reader, node: Node) -> None:
    """Binds what it names; `import "m"` alone names nothing."""
    clause = first(node)
    if clause is None or clause.type == "string":
        return
    source = _source(r, node)
    if source is None:
        source = _source(r, clause) or ""
    for part in parts(clause):
        if part.type == "identifier":
            target = source if clause.type == "import_require_clause" else f"{source}.default"
            r.builder.bind(r.text(part), target, part.start_byte, part.end_byte)
        elif part.type == "namespace_import":
            r.builder.bind(r.text(first(part) or part), source, part.start_byte, part.end_byte)
        elif part.type == "named_imports":
            _specifiers(r, part, source)


def _specifiers(r: Reader, node: Node, source: str) -> None:
    for part in parts(node):
        name = part.child_by_field_name("name")
        if name is not None:
            alias = part.child_by_field_name("alias") or name
            r.builder.bind(_plain(r, alias), f"{source}.{_plain(r, name)}", part.start_byte, part.end_byte)


def _plain(r: Reader, node: Node) -> str:
    return r.text(node).strip("'\"")


def import_alias(r: Reader, node: Node) -> None:
    """`import x = A.B`."""
    inside = parts(node)
    if len(inside) == 2:
        r.builder.step("assign", node.start_byte, node.end_byte, r.expr(inside[1]), (r.expr(inside[0]),))


def export_statement(r: Reader, node: Node, exports: set[str]) -> None:
    """Any of its forms; `exports` takes the local names that it exports."""
    declaration, source = node.child_by_field_name("declaration"), _source(r, node)
    if source is not None:
        _re_export(r, node, source)
    elif declaration is not None:
        _declaration(r, node, declaration)
    elif (value := node.child_by_field_name("value")) is not None or (has_token(node, "=") and (value := first(node)) is not None):
        _default(r, node, value)
    else:
        for clause in parts(node):
            for part in parts(clause) if clause.type == "export_clause" else ():
                _local(r, part, exports)


def _re_export(r: Reader, node: Node, source: str) -> None:
    clause = first(node)
    if clause is not None and clause.type == "export_clause":
        _specifiers(r, clause, source)
    elif clause is not None and clause.type == "namespace_export":
        r.builder.bind(r.text(first(clause) or clause), source, node.start_byte, node.end_byte)
    else:
        r.builder.bind("", source, node.start_byte, node.end_byte)


def _declaration(r: Reader, node: Node, declaration: Node) -> None:
    r.decorators = tuple([r.expr(child) for child in node.named_children if child.type == "decorator"])
    r.exporting = True
    r.statement(declaration)
    r.marks()
    label = declaration.child_by_field_name("name")
    if has_token(node, "default") and declaration.type in _DECLARED and label is not None:
        _assign_default(r, node, Ref(label.start_byte, label.end_byte, r.text(label)))


def _default(r: Reader, node: Node, value: Node) -> None:
    r.decorators = tuple([r.expr(child) for child in node.named_children if child.type == "decorator"])
    lowered = named(r, value, "default", node, exported=True)
    r.marks()
    _assign_default(r, node, lowered)


def _assign_default(r: Reader, node: Node, value: Expr) -> None:
    target = next((child for child in node.children if child.type in ("default", "=")), node)
    r.builder.step("assign", node.start_byte, node.end_byte, value, (Ref(target.start_byte, target.end_byte, "default"),))


def _local(r: Reader, node: Node, exports: set[str]) -> None:
    """`export { a as b }`."""
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    if name is None:
        return
    exports.add(r.text(name))
    if alias is not None and r.text(alias) == "default":
        value = Ref(name.start_byte, name.end_byte, r.text(name))
        r.builder.step("assign", node.start_byte, node.end_byte, value, (Ref(alias.start_byte, alias.end_byte, "default"),))


def required(r: Reader, target: Expr, value: Expr | None) -> None:
    """`const x = require("m")` is an import, too; `const { a } = require("m")` and `const a = require("m").a` of one name."""
    path: list[str] = []
    while isinstance(value, Attr):
        path.append(value.name)
        value = value.base
    if not isinstance(value, Call) or not isinstance(value.func, Ref) or value.func.name != "require" or len(value.args) != 1:
        return
    module = value.args[0].value
    if not isinstance(module, Literal_) or not isinstance(module.value, str):
        return
    source = ".".join((_specifier(module.value), *reversed(path)))
    if isinstance(target, Ref):
        r.builder.bind(target.name, source, target.start, target.end)
    for item in target.items if isinstance(target, Group) else ():
        match item:
            case Ref(name=name):
                r.builder.bind(name, f"{source}.{name}", item.start, item.end)
            case Pair(key=Literal_(value=str() as name), value=Ref(name=alias)):
                r.builder.bind(alias, f"{source}.{name}", item.start, item.end)
            case _:
                pass
