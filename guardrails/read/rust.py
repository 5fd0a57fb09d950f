"""Rust source, lowered to an `Outline` in one walk of its syntax tree. Here: the file itself and its plain statements."""

from __future__ import annotations

from collections.abc import Mapping

import tree_sitter_rust
from tree_sitter import Node

from guardrails.outline import Op, Outline
from guardrails.read.build import Builder
from guardrails.read.rust_expr import EXPRESSIONS, named
from guardrails.read.rust_flow import body, each, expression_statement
from guardrails.read.rust_item import ITEMS
from guardrails.read.tree import COMMENTS, Reader, ToSteps, error_statement, note_comments, note_errors, parser, parts, skip


def read(path: str, source: bytes) -> Outline:
    """The outline of a Rust file; `path` is for readers whose grammar depends on it. Never fails on the content."""
    language = tree_sitter_rust.language
    root = parser(language).parse(source).root_node
    builder = Builder("rust", len(source))
    each(Reader(builder, source, EXPRESSIONS, _STATEMENTS, root.has_error), parts(root))
    note_comments(builder, source, root, language, "[(line_comment) (block_comment)] @comment")
    if root.has_error:
        note_errors(builder, root, language, _STATEMENTS)
    builder.settle()
    return builder.outline()


def _let(r: Reader, node: Node) -> None:
    """`let ... else { }` is followed by a test of its pattern, which opens the else block."""
    label, value_node = node.child_by_field_name("pattern"), node.child_by_field_name("value")
    if label is None:
        return
    target, annotation = r.expr(label), r.field_or_none(node, "type")
    value = None
    if value_node is not None:
        value = named(r, value_node, r.text(label) if label.type == "identifier" else "", label)
    alternative = node.child_by_field_name("alternative")
    start, end = node.start_byte + r.shift, (node if alternative is None or value_node is None else value_node).end_byte + r.shift
    r.builder.step("assign", start, end, value, (target,), annotation)
    if alternative is not None:
        test = r.builder.step("test", start, end, Op(target.start, target.end, "let", (target,)))
        r.builder.open_block("else", alternative.start_byte + r.shift, alternative.end_byte + r.shift, test)
        body(r, alternative, "drop")
        r.builder.close_block()


_STATEMENTS: Mapping[str, ToSteps] = {
    **ITEMS,
    **dict.fromkeys((*COMMENTS, "empty_statement", "inner_attribute_item", "macro_definition", "shebang"), skip),
    **dict.fromkeys(("expression_statement", "macro_invocation"), expression_statement),
    "ERROR": error_statement,
    "let_declaration": _let,
}
