"""Blocks and control of Rust, where statements are expressions.

A node's value is wanted in one of four ways (`Want`): handed back ("value"), returned from the function around ("return"), returned
unless it is that of control, which yields nothing there ("unit": functions without a return type), or not at all ("drop").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from tree_sitter import Node

from guardrails.outline import Arg, Call, Expr, Op, Other, Ref, walk
from guardrails.outline import StepKind as Kind
from guardrails.read.rust_pattern import names, path
from guardrails.read.rust_select import Piece, arms, is_select
from guardrails.read.tree import Reader, first, parts

Want: TypeAlias = Literal["value", "return", "unit", "drop"]


def body(r: Reader, node: Node | None, want: Want) -> Expr | None:
    """The steps of a block, or of an expression that stands for one; its value where it is wanted."""
    if node is None:
        return None
    if node.type != "block":
        return tail(r, node, want)
    statements = [child for child in parts(node) if child.type != "label"]
    if not statements:
        return None
    last = statements.pop()
    each(r, statements)
    if last.type == "expression_statement" and last.children[-1].type != ";":
        last = last.children[0]
    elif last.type in r.statements and last.type != "macro_invocation":
        each(r, [last])
        return None
    return tail(r, last, want)


def each(r: Reader, nodes: list[Node]) -> None:
    """Statements and items in a row; attributes are for the next one."""
    for node in nodes:
        r.statement(node)
        if node.type != "attribute_item":
            r.decorators = ()


def tail(r: Reader, node: Node, want: Want) -> Expr | None:
    """An expression in last place: a step, unless its value is wanted back."""
    lower = _select if is_select(r, node) else CONTROL.get(node.type)
    if lower is not None:
        if r.is_too_deep(node):
            return None
        r.depth += 1
        value = lower(r, node, "drop" if want == "unit" else want)
        r.depth -= 1
        return value
    value = r.expr(node)
    if want == "value":
        return value
    r.builder.step("expr" if want == "drop" else "return", node.start_byte + r.shift, node.end_byte + r.shift, value)
    return None


def control(r: Reader, node: Node) -> Expr:
    """Control as a value: its steps first, its tails the parts of an `Other`."""
    value = CONTROL[node.type](r, node, "value")
    return Other(node.start_byte + r.shift, node.end_byte + r.shift, node.type.partition("_")[0], ()) if value is None else value


def expression_statement(r: Reader, node: Node) -> None:
    """An expression with a semicolon, or a macro in braces."""
    inside = node if node.type == "macro_invocation" else node.children[0]
    lower = _select if is_select(r, inside) else CONTROL.get(inside.type)
    if lower is not None:
        lower(r, inside, "drop")
        return
    value = r.expr(inside)
    r.builder.step("expr", node.start_byte + r.shift, node.end_byte + r.shift, value)


def _block(r: Reader, node: Node, want: Want) -> Expr | None:
    """A block in braces, also an unsafe one."""
    inside = node if node.type == "block" else node.child_by_field_name("body") or first(node)
    r.builder.open_block("body", node.start_byte + r.shift, node.end_byte + r.shift)
    value = body(r, inside, want) if inside is not node or node.type == "block" else None
    r.builder.close_block()
    return value


def _test(r: Reader, node: Node) -> int:
    """The names that `if let` binds are the targets of its test step."""
    condition = node.child_by_field_name("condition")
    value = r.field(node, "condition")
    bound: tuple[Expr, ...] = ()
    if condition is not None and condition.type in ("let_condition", "let_chain"):
        bound = names(*[one.parts[0] for one in walk(value) if isinstance(one, Op) and one.op == "let"])
    end = node.end_byte if condition is None else condition.end_byte
    return r.builder.step("test", node.start_byte + r.shift, end + r.shift, value, bound)


def _if(r: Reader, node: Node, want: Want) -> Expr | None:
    """`else if` is an if inside the else; a long row of them is no deep nesting."""
    start, end = node.start_byte + r.shift, node.end_byte + r.shift
    inner = "drop" if want == "return" and not _has_else(node) else want
    tails: list[Expr | None] = []
    opened = 0
    while True:
        test = _test(r, node)
        tails.append(_branch(r, "if", node.child_by_field_name("consequence"), test, inner))
        clause = node.child_by_field_name("alternative")
        alternative = first(clause) if clause is not None else None
        if alternative is None or alternative.type != "if_expression":
            break
        r.builder.open_block("else", alternative.start_byte + r.shift, alternative.end_byte + r.shift, test)
        opened += 1
        node = alternative
    tails.append(_branch(r, "else", alternative, test, inner))
    for _ in range(opened):
        r.builder.close_block()
    return _joined(start, end, "if", tails) if want == "value" else None


def _has_else(node: Node) -> bool:
    """Whether a row of ifs has a last else: without one it has no value."""
    while (clause := node.child_by_field_name("alternative")) is not None:
        alternative = first(clause)
        if alternative is None or alternative.type != "if_expression":
            return alternative is not None
        node = alternative
    return False


def _branch(r: Reader, kind: Literal["if", "else", "loop"], node: Node | None, opened_by: int, want: Want) -> Expr | None:
    if node is None:
        return None
    r.builder.open_block(kind, node.start_byte + r.shift, node.end_byte + r.shift, opened_by)
    value = body(r, node, want)
    r.builder.close_block()
    return value


def _joined(start: int, end: int, kind: str, tails: list[Expr | None]) -> Expr:
    return Other(start, end, kind, tuple([one for one in tails if one is not None]))


def _match(r: Reader, node: Node, want: Want) -> Expr | None:
    subject, block = node.child_by_field_name("value"), node.child_by_field_name("body")
    start, end = node.start_byte + r.shift, node.end_byte + r.shift
    value = r.field(node, "value")
    test = r.builder.step("test", start, end if subject is None else subject.end_byte + r.shift, value)
    tails: list[Expr | None] = []
    for arm in parts(block) if block is not None else ():
        if arm.type == "match_arm":
            r.builder.open_block("case", arm.start_byte + r.shift, arm.end_byte + r.shift, test)
            _pattern(r, arm.child_by_field_name("pattern"))
            tails.append(body(r, arm.child_by_field_name("value"), want))
            r.builder.close_block()
    return _joined(start, end, "match", tails) if want == "value" else None


def _pattern(r: Reader, node: Node | None) -> None:
    """An arm starts with a test step for its pattern, whose targets are the names that it binds, and one for its guard."""
    if node is None or not node.children:
        return
    pattern, guard = node.children[0], node.child_by_field_name("condition")
    value = r.expr(pattern)
    r.builder.step("test", pattern.start_byte + r.shift, pattern.end_byte + r.shift, value, names(value))
    if guard is not None:
        r.builder.step("test", guard.start_byte + r.shift, guard.end_byte + r.shift, r.expr(guard))


def _loop(r: Reader, node: Node, want: Want) -> Expr | None:
    """`loop` and `while`; the value of a loop is in its break steps."""
    test = _test(r, node) if node.type == "while_expression" else -1
    _branch(r, "loop", node.child_by_field_name("body"), test, "drop")
    return None


def _for(r: Reader, node: Node, want: Want) -> Expr | None:
    source = node.child_by_field_name("value")
    target, value = r.field(node, "pattern"), r.field(node, "value")
    end = node.end_byte if source is None else source.end_byte
    step = r.builder.step("iterate", node.start_byte + r.shift, end + r.shift, value, (target,))
    _branch(r, "loop", node.child_by_field_name("body"), step, "drop")
    return None


def _leave(r: Reader, node: Node, want: Want) -> Expr | None:
    """`return x`, `break 'label x`, `continue 'label`; `op` is the label."""
    label, value = "", None
    for part in parts(node):
        if part.type == "label":
            label = r.text(part).lstrip("'")
        else:
            value = r.expr(part)
    kind = _LEAVES[node.type]
    r.builder.step(kind, node.start_byte + r.shift, node.end_byte + r.shift, value, op=label)
    return None


_LEAVES: dict[str, Kind] = {"return_expression": "return", "break_expression": "break", "continue_expression": "continue"}


def _assign(r: Reader, node: Node, want: Want) -> Expr | None:
    op = node.child_by_field_name("operator")
    kind: Kind = "assign" if op is None else "augment"
    target, value = r.field(node, "left"), r.field(node, "right")
    r.builder.step(kind, node.start_byte + r.shift, node.end_byte + r.shift, value, (target,), op="" if op is None else op.type)
    return None


def _select(r: Reader, node: Node, want: Want) -> Expr | None:
    """`select!` is a match on whichever of its futures comes first: each arm a case, whose test step binds its pattern."""
    label = node.child_by_field_name("macro") or node
    start, end = node.start_byte + r.shift, node.end_byte + r.shift
    found = list(arms(r, node))
    futures = tuple([Arg(_at(r, arm.future)) for arm in found if arm.future is not None])
    func = Ref(label.start_byte + r.shift, label.end_byte + r.shift, path(r, label))
    test = r.builder.step("test", start, func.end, Call(start, end, func, futures, macro=True))
    tails: list[Expr | None] = []
    for arm in found:
        r.builder.open_block("case", arm.start, arm.end, test)
        for one in (arm.pattern, arm.guard):
            if one is not None:
                value = _at(r, one)
                r.builder.step("test", value.start, value.end, value, names(value) if one is arm.pattern else ())
        if arm.body is not None:
            with r.shifted(arm.body.shift):
                tails.append(body(r, arm.body.node, want))
        r.builder.close_block()
    return _joined(start, end, "match", tails) if want == "value" else None


def _at(r: Reader, piece: Piece) -> Expr:
    with r.shifted(piece.shift):
        return r.expr(piece.node)


Lower: TypeAlias = Callable[[Reader, Node, Want], Expr | None]
CONTROL: Mapping[str, Lower] = {
    **dict.fromkeys(("block", "unsafe_block", "const_block", "try_block", "gen_block"), _block),
    **dict.fromkeys(("loop_expression", "while_expression"), _loop),
    **dict.fromkeys(_LEAVES, _leave),
    **dict.fromkeys(("assignment_expression", "compound_assignment_expr"), _assign),
    "for_expression": _for,
    "if_expression": _if,
    "match_expression": _match,
}
