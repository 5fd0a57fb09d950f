"""Statements of TypeScript and JavaScript that steer control, lowered."""

from __future__ import annotations

from collections.abc import Mapping

from tree_sitter import Node

from guardrails.outline import BlockKind, Expr
from guardrails.outline import StepKind as Kind
from guardrails.read.tree import Reader, ToSteps, first, has_token, parts
from guardrails.read.typescript_expr import augment


def _within(node: Node) -> list[Node]:
    """The statements of a branch: a block, or one without braces."""
    return node.named_children if node.type == "statement_block" else [node]


def _branch(r: Reader, kind: BlockKind, node: Node | None, opened_by: int = -1) -> None:
    if node is not None:
        r.builder.open_block(kind, node.start_byte, node.end_byte, opened_by)
        r.each(_within(node))
        r.builder.close_block()


def _test(r: Reader, node: Node, field: str = "condition") -> int:
    condition = node.child_by_field_name(field)
    value = r.field(node, field)
    return r.builder.step("test", node.start_byte, node.end_byte if condition is None else condition.end_byte, value)


def _if(r: Reader, node: Node) -> None:
    """`else if` is an if inside the else; a long row of them is no deep nesting."""
    opened = 0
    while True:
        test = _test(r, node)
        _branch(r, "if", node.child_by_field_name("consequence"), test)
        clause = node.child_by_field_name("alternative")
        alternative = first(clause) if clause is not None else None
        if alternative is None or alternative.type != "if_statement":
            break
        r.builder.open_block("else", alternative.start_byte, alternative.end_byte, test)
        opened += 1
        node = alternative
    _branch(r, "else", alternative, test)
    for _ in range(opened):
        r.builder.close_block()


def _while(r: Reader, node: Node) -> None:
    test = _test(r, node)
    _branch(r, "loop", node.child_by_field_name("body"), test)


def _do(r: Reader, node: Node) -> None:
    """Nothing stands before the first round: the test is the last step in the loop."""
    r.builder.open_block("loop", node.start_byte, node.end_byte)
    body, condition = node.child_by_field_name("body"), node.child_by_field_name("condition")
    if body is not None:
        r.each(_within(body))
    if condition is not None:
        r.builder.step("test", condition.start_byte, condition.end_byte, r.expr(condition))
    r.builder.close_block()


def _for(r: Reader, node: Node) -> None:
    """`for (a; b; c)` is a while: a before it, b its test, c the last step in it; without a test it is opened by nothing."""
    start, body = node.child_by_field_name("initializer"), node.child_by_field_name("body")
    condition, increment = node.child_by_field_name("condition"), node.child_by_field_name("increment")
    if start is not None:
        r.statement(start)
    test = -1 if condition is None or condition.type in ("empty_statement", ";") else _test(r, node)
    r.builder.open_block("loop", node.start_byte if body is None else body.start_byte, node.end_byte, test)
    if body is not None:
        r.each(_within(body))
    if increment is not None and increment.type in ("update_expression", "augmented_assignment_expression"):
        augment(r, increment, increment.start_byte, increment.end_byte)
    elif increment is not None:
        r.statement(increment)
    r.builder.close_block()


def _for_in(r: Reader, node: Node) -> None:
    """`op` of the step is `in` for keys, `await` for an asynchronous iterator."""
    right = node.child_by_field_name("right")
    target, value = r.field(node, "left"), r.field(node, "right")
    op = "await" if has_token(node, "await") else "in" if has_token(node, "in") else ""
    step = r.builder.step("iterate", node.start_byte, node.end_byte if right is None else right.end_byte, value, (target,), op=op)
    _branch(r, "loop", node.child_by_field_name("body"), step)


def _switch(r: Reader, node: Node) -> None:
    test = _test(r, node, "value")
    body = node.child_by_field_name("body")
    for case in parts(body) if body is not None else ():
        r.builder.open_block("case", case.start_byte, case.end_byte, test)
        value = case.child_by_field_name("value")
        if value is not None:
            r.builder.step("test", value.start_byte, value.end_byte, r.expr(value))
        r.each(case.children_by_field_name("body"))
        r.builder.close_block()


def _try(r: Reader, node: Node) -> None:
    _branch(r, "try", node.child_by_field_name("body"))
    handler, finalizer = node.child_by_field_name("handler"), node.child_by_field_name("finalizer")
    if handler is not None:
        parameter = r.field_or_none(handler, "parameter")
        end = handler.start_byte + len("catch") if parameter is None else parameter.end
        catch = r.builder.step("catch", handler.start_byte, end, None, () if parameter is None else (parameter,))
        _branch(r, "except", handler.child_by_field_name("body"), catch)
    if finalizer is not None:
        _branch(r, "finally", finalizer.child_by_field_name("body"))


def _with(r: Reader, node: Node) -> None:
    step = r.builder.step("enter", node.start_byte, node.end_byte, r.field(node, "object"))
    _branch(r, "with", node.child_by_field_name("body"), step)


def _labeled(r: Reader, node: Node) -> None:
    body = node.child_by_field_name("body")
    if body is not None:
        r.statement(body)


def _block(r: Reader, node: Node) -> None:
    _branch(r, "body", node)


def _leave(r: Reader, node: Node) -> None:
    """`return x`, `throw x`."""
    inside = first(node)
    value: Expr | None = None if inside is None else r.expr(inside)
    kind: Kind = "return" if node.type == "return_statement" else "raise"
    r.builder.step(kind, node.start_byte, node.end_byte, value)


def _jump(r: Reader, node: Node) -> None:
    """`break` and `continue`; `op` is the label."""
    label = node.child_by_field_name("label")
    kind: Kind = "break" if node.type == "break_statement" else "continue"
    r.builder.step(kind, node.start_byte, node.end_byte, op="" if label is None else r.text(label))


FLOW: Mapping[str, ToSteps] = {
    "break_statement": _jump,
    "continue_statement": _jump,
    "do_statement": _do,
    "for_in_statement": _for_in,
    "for_statement": _for,
    "if_statement": _if,
    "labeled_statement": _labeled,
    "return_statement": _leave,
    "statement_block": _block,
    "switch_statement": _switch,
    "throw_statement": _leave,
    "try_statement": _try,
    "while_statement": _while,
    "with_statement": _with,
}
