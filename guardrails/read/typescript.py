"""TypeScript and JavaScript source, lowered to an `Outline` in one walk of its syntax tree. Here: statements and the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import msgspec
import tree_sitter_typescript
from tree_sitter import Node

from guardrails.outline import Outline
from guardrails.read.build import Builder
from guardrails.read.tree import COMMENTS, Reader, ToSteps, error_statement, first, note_comments, note_errors, parser, parts, skip
from guardrails.read.typescript_expr import EXPRESSIONS, assign, augment, named
from guardrails.read.typescript_flow import FLOW
from guardrails.read.typescript_function import class_declaration, enum, function, interface, type_alias
from guardrails.read.typescript_module import export_statement, import_alias, import_statement, required
from guardrails.read.typescript_types import annotation

_TYPED_ONLY = frozenset({".ts", ".mts", ".cts"})  # where `<T>x` is a cast and no JSX


def read(path: str, source: bytes) -> Outline:
    """The outline of a TypeScript or JavaScript file. Never fails on its content."""
    # The JavaScript grammar reads no more of real files than the TSX one does: 667 of 667 against 665, the two being minified.
    typed_only = PurePosixPath(path).suffix in _TYPED_ONLY
    language = tree_sitter_typescript.language_typescript if typed_only else tree_sitter_typescript.language_tsx
    root = parser(language).parse(source).root_node
    builder = Builder("typescript", len(source))
    exports: set[str] = set()
    reader = _TypeScript(builder, source, root.has_error, exports)
    reader.each(root.named_children)
    note_comments(builder, source, root, language, "[(comment) (html_comment)] @comment")
    if root.has_error:
        note_errors(builder, root, language, _STATEMENTS)
    builder.settle()
    return _with_exports(builder.outline(), exports)


class _TypeScript(Reader):
    """With the names that the file exports apart from their declaration."""

    def __init__(self, builder: Builder, source: bytes, damaged: bool, exports: set[str]) -> None:
        super().__init__(builder, source, EXPRESSIONS, _STATEMENTS, damaged)
        self.exports = exports


def _with_exports(outline: Outline, names: set[str]) -> Outline:
    """`export { f }` may stand before or after f."""
    if not names:
        return outline
    functions = [msgspec.structs.replace(one, exported=True) if one.parent == 0 and one.name in names else one for one in outline.functions]
    return msgspec.structs.replace(outline, functions=tuple(functions))


def _expression_statement(r: Reader, node: Node) -> None:
    inside = first(node)
    if inside is None:
        return
    start, end = node.start_byte, node.end_byte
    match inside.type:
        case "assignment_expression":
            assign(r, inside, start, end)
        case "augmented_assignment_expression" | "update_expression":
            augment(r, inside, start, end)
        case "sequence_expression":
            for part in parts(inside):
                r.builder.step("expr", part.start_byte, part.end_byte, r.expr(part))
        case "internal_module":
            _namespace(r, inside)
        case _:
            r.builder.step("expr", start, end, r.expr(inside))


def _declarations(r: Reader, node: Node) -> None:
    """`const a = 1, b = 2`: a step each."""
    exporting, _ = r.marks()
    declarators = [part for part in parts(node) if part.type == "variable_declarator"]
    for part in declarators:
        label, value_node = part.child_by_field_name("name"), part.child_by_field_name("value")
        if label is None:
            continue
        whole = node if len(declarators) == 1 else part
        target, value = r.expr(label), None
        if value_node is not None:
            value = named(r, value_node, r.text(label) if label.type == "identifier" else "", label, exporting)
        required(r, target, value)
        r.builder.step("assign", whole.start_byte, whole.end_byte, value, (target,), annotation(r, part))


def _namespace(r: Reader, node: Node) -> None:
    """Its contents belong to the scope around it; qualified names say where they stand."""
    r.marks()
    body, label = node.child_by_field_name("body"), node.child_by_field_name("name")
    if body is None:
        return
    r.modules.append(r.text(label).strip("'\"") if label is not None else "")
    r.each(body.named_children)
    r.modules.pop()


def _ambient(r: Reader, node: Node) -> None:
    """`declare ...`."""
    for part in parts(node):
        if part.type == "statement_block":
            r.each(part.named_children)
        else:
            r.statement(part)


def _export(r: _TypeScript, node: Node) -> None:
    export_statement(r, node, r.exports)


_STATEMENTS: Mapping[str, ToSteps] = {
    **FLOW,
    **dict.fromkeys((*COMMENTS, "empty_statement", "hash_bang_line", "debugger_statement", "function_signature"), skip),
    **dict.fromkeys(("function_declaration", "generator_function_declaration"), function),
    **dict.fromkeys(("class_declaration", "abstract_class_declaration"), class_declaration),
    **dict.fromkeys(("lexical_declaration", "variable_declaration"), _declarations),
    **dict.fromkeys(("internal_module", "module"), _namespace),
    "ERROR": error_statement,
    "ambient_declaration": _ambient,
    "enum_declaration": enum,
    "export_statement": _export,
    "expression_statement": _expression_statement,
    "import_alias": import_alias,
    "import_statement": import_statement,
    "interface_declaration": interface,
    "type_alias_declaration": type_alias,
}
