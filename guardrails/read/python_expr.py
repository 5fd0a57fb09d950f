"""Python's expressions, lowered: one function a kind of node, looked up by its number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from tree_sitter import Node

from guardrails.outline import Arg, Attr, Await, Call, Choice, Comp, Expr, Group, Index, Literal_, Op, Other, Pair, Ref, Spread
from guardrails.read.build import DEEPEST
from guardrails.read.python_string import concatenated, interpolation, string
from guardrails.read.python_text import number
from guardrails.read.python_tree import EXTRAS, SKIPPED, TOKENS, Reader, kind

Lower: TypeAlias = Callable[[Reader, Node], Expr]

IDENTIFIER, KEYWORD_ARGUMENT = kind("identifier"), kind("keyword_argument")
_LIST_SPLAT, _DICTIONARY_SPLAT, _ARGUMENTS = kind("list_splat"), kind("dictionary_splat"), kind("argument_list")
_PARENTHESES, _ATTRIBUTE = kind("parenthesized_expression"), kind("attribute")
_FOR, _IF = kind("for_in_clause"), kind("if_clause")
_COMMA, _COLON, _FROM = kind(",", False), kind(":", False), kind("from", False)


def expr(r: Reader, node: Node) -> Expr:
    """Any expression."""
    found = node.kind_id
    if found == IDENTIFIER:
        start, end = node.start_byte, node.end_byte
        name = r.text[start:end]
        return Ref(start, end, name if name.isascii() else r.name(node))
    if found == _ATTRIBUTE:
        start, end = node.start_byte, node.end_byte
        name = r.text[start:end]
        if name.isascii() and name.replace(".", "").isidentifier():
            return Ref(start, end, name)
    if r.depth >= DEEPEST:
        return r.too_deep(node)
    r.depth += 1
    lowered = EXPRESSIONS.get(found, other)(r, node)
    r.depth -= 1
    return lowered


def items(r: Reader, node: Node) -> tuple[Expr, ...]:
    """What stands between brackets and commas."""
    lowered = []
    for child in node.children:
        found = child.kind_id
        if found not in SKIPPED:
            lowered.append(expr(r, child))
        elif found in EXTRAS:
            r.extra(child)
    return tuple(lowered)


def several(r: Reader, nodes: list[Node]) -> Expr:
    """One expression, or the tuple that several without brackets make."""
    if len(nodes) == 1:
        return expr(r, nodes[0])
    if not nodes:
        return Other(0, 0, "missing", ())
    return Group(nodes[0].start_byte, nodes[-1].end_byte, "tuple", tuple([expr(r, node) for node in nodes]))


def other(r: Reader, node: Node) -> Expr:
    """Whatever has no shape of its own, or not the one it should have."""
    return Other(node.start_byte, node.end_byte, node.type, items(r, node))


def _inner(r: Reader, node: Node) -> Expr:
    """Brackets and wrappers around one expression are not seen."""
    while True:
        parts = r.parts(node)
        if len(parts) != 1:
            return other(r, node)
        node = parts[0]
        if node.kind_id != _PARENTHESES:
            return expr(r, node)


def _attribute(r: Reader, node: Node) -> Expr:
    """An attribute of anything but a plain chain of names, which `expr` reads from its text."""
    start, end = node.start_byte, node.end_byte
    parts = r.parts(node)
    if len(parts) != 2:
        return other(r, node)
    base, name = expr(r, parts[0]), r.name(parts[1])
    return Ref(start, end, f"{base.name}.{name}") if type(base) is Ref else Attr(start, end, base, name)


def _call(r: Reader, node: Node) -> Expr:
    parts = node.children
    if len(parts) != 2:
        parts = r.parts(node)
        if len(parts) != 2:
            return other(r, node)
    func, given = parts
    callee = expr(r, func)
    args = arguments(r, given) if given.kind_id == _ARGUMENTS else (Arg(expr(r, given)),)
    r.builder.called = True
    return Call(node.start_byte, node.end_byte, callee, args)


def arguments(r: Reader, node: Node) -> tuple[Arg, ...]:
    """The arguments of a call or the bases of a class."""
    args = []
    for child in node.children:
        found = child.kind_id
        if found in SKIPPED:
            if found in EXTRAS:
                r.extra(child)
        elif found == KEYWORD_ARGUMENT:
            args.append(_keyword(r, child))
        elif found in (_LIST_SPLAT, _DICTIONARY_SPLAT):
            args.append(Arg(_inner(r, child), "", "*" if found == _LIST_SPLAT else "**"))
        else:
            args.append(Arg(expr(r, child)))
    return tuple(args)


def _keyword(r: Reader, node: Node) -> Arg:
    parts = node.children
    if len(parts) != 3:
        parts = r.clean(parts)
        if len(parts) != 3:
            return Arg(other(r, node))
    return Arg(expr(r, parts[2]), r.name(parts[0]))


def _chain(r: Reader, node: Node) -> Expr:
    """A binary or boolean operator; a chain of one operator is walked down its left side, not into."""
    own, op, rights, left = node.kind_id, "", [], node
    while left.kind_id == own:
        parts = left.children
        if len(parts) != 3:
            parts = r.clean(parts)
            if len(parts) != 3:
                break
        if op and parts[1].type != op:
            break
        op = parts[1].type
        rights.append(parts[2])
        left = parts[0]
    if not rights:
        return other(r, node)
    lowered = [expr(r, left)]
    lowered.extend([expr(r, right) for right in reversed(rights)])
    return Op(node.start_byte, node.end_byte, op, tuple(lowered))


def _unary(r: Reader, node: Node) -> Expr:
    return Op(node.start_byte, node.end_byte, node.children[0].type, items(r, node))


_NEGATED = {"not in": "in", "is not": "is"}


def _comparison(r: Reader, node: Node) -> Expr:
    start, end, ops, parts = node.start_byte, node.end_byte, [], []
    for child in r.clean(node.children):
        if child.kind_id in TOKENS:
            ops.append(child.type.replace("<>", "!="))
        else:
            parts.append(expr(r, child))
    op = ops[0] if len(set(ops)) == 1 else " ".join(ops)
    if op in _NEGATED:
        return Op(start, end, "not", (Op(start, end, _NEGATED[op], tuple(parts)),))
    return Op(start, end, op, tuple(parts))


def _yield(r: Reader, node: Node) -> Expr:
    op = "yield from" if any(child.kind_id == _FROM for child in node.children) else "yield"
    return Op(node.start_byte, node.end_byte, op, items(r, node))


def _walrus(r: Reader, node: Node) -> Expr:
    """A walrus is an assignment of its own, told before the statement it stands in."""
    parts = r.parts(node)
    if len(parts) != 2:
        return other(r, node)
    start, end = node.start_byte, node.end_byte
    target, value = expr(r, parts[0]), expr(r, parts[1])
    r.builder.step("assign", start, end, value, (target,))
    return Op(start, end, "walrus", (target, value))


def _await(r: Reader, node: Node) -> Expr:
    parts = r.parts(node)
    return Await(node.start_byte, node.end_byte, expr(r, parts[0])) if len(parts) == 1 else other(r, node)


def _choice(r: Reader, node: Node) -> Expr:
    parts = r.parts(node)
    if len(parts) != 3:
        return other(r, node)
    yes, test, no = (expr(r, part) for part in parts)
    return Choice(node.start_byte, node.end_byte, test, yes, no)


def _subscript(r: Reader, node: Node) -> Expr:
    parts = r.parts(node)
    if len(parts) < 2:
        return other(r, node)
    base, keys = expr(r, parts[0]), parts[1:]
    if len(keys) == 1 and node.children[-2].kind_id == _COMMA:
        key: Expr = Group(keys[0].start_byte, keys[0].end_byte, "tuple", (expr(r, keys[0]),))
    else:
        key = several(r, keys)
    return Index(node.start_byte, node.end_byte, base, key)


def _generic(r: Reader, node: Node) -> Expr:
    parts = r.parts(node)
    keys = r.parts(parts[1]) if len(parts) == 2 else []
    if not keys:
        return other(r, node)
    return Index(node.start_byte, node.end_byte, expr(r, parts[0]), several(r, keys))


def _slice(r: Reader, node: Node) -> Expr:
    """Lower, upper and, where there is a second colon, step: one that is left out is a `none` without width."""
    bounds: list[Expr] = []
    is_open = True
    for child in r.clean(node.children):
        if child.kind_id != _COLON:
            bounds.append(expr(r, child))
        elif is_open:
            bounds.append(Literal_(child.start_byte, child.start_byte, "none", None))
        is_open = child.kind_id == _COLON
    if is_open:
        bounds.append(Literal_(node.end_byte, node.end_byte, "none", None))
    return Other(node.start_byte, node.end_byte, "slice", tuple(bounds))


def _spread(r: Reader, node: Node) -> Expr:
    return Spread(node.start_byte, node.end_byte, _inner(r, node))


def _group(of: Literal["list", "tuple", "set", "dict"]) -> Lower:
    def lower(r: Reader, node: Node) -> Expr:
        return Group(node.start_byte, node.end_byte, of, items(r, node))

    return lower


def _tuple_pattern(r: Reader, node: Node) -> Expr:
    """`for (x) in y` has brackets, but no tuple."""
    if len(r.parts(node)) == 1 and node.children[-2].kind_id != _COMMA:
        return _inner(r, node)
    return Group(node.start_byte, node.end_byte, "tuple", items(r, node))


def _pair(r: Reader, node: Node) -> Expr:
    parts = node.children
    if len(parts) != 3:
        parts = r.clean(parts)
        if len(parts) != 3:
            return other(r, node)
    return Pair(node.start_byte, node.end_byte, expr(r, parts[0]), expr(r, parts[2]))


def _comprehension(of: Literal["list", "set", "dict", "generator"]) -> Lower:
    def lower(r: Reader, node: Node) -> Expr:
        parts = r.parts(node)
        if not parts:
            return other(r, node)
        element = expr(r, parts[0])
        clauses = tuple([_clause(r, part) for part in parts[1:] if part.kind_id == _FOR])
        tests = tuple([_inner(r, part) for part in parts[1:] if part.kind_id == _IF])
        return Comp(node.start_byte, node.end_byte, of, element, clauses, tests)

    return lower


def _clause(r: Reader, node: Node) -> tuple[Expr, Expr]:
    parts = r.parts(node)
    if len(parts) < 2:
        return other(r, node), Other(node.end_byte, node.end_byte, "missing", ())
    return expr(r, parts[0]), several(r, parts[1:])


def _constant(of: str, value: bool | None) -> Lower:
    def lower(r: Reader, node: Node) -> Expr:
        return Literal_(node.start_byte, node.end_byte, of, value)

    return lower


def _number(r: Reader, node: Node) -> Expr:
    start, end = node.start_byte, node.end_byte
    return Literal_(start, end, "number", number(r.text[start:end]))


def _dotted(r: Reader, node: Node) -> Expr:
    return Ref(node.start_byte, node.end_byte, ".".join([r.name(part) for part in r.parts(node)]))


def _string(r: Reader, node: Node) -> Expr:
    return string(r, node, expr)


def _format(r: Reader, node: Node) -> Expr:
    return interpolation(r, node, expr)


def _concatenated(r: Reader, node: Node) -> Expr:
    return concatenated(r, node, expr)


_TABLE: dict[str, Lower] = {
    "attribute": _attribute,
    "call": _call,
    "string": _string,
    "concatenated_string": _concatenated,
    "format_expression": _format,
    "integer": _number,
    "float": _number,
    "true": _constant("bool", True),
    "false": _constant("bool", False),
    "none": _constant("none", None),
    "parenthesized_expression": _inner,
    "parenthesized_list_splat": _inner,
    "type": _inner,
    "as_pattern_target": _inner,
    "case_pattern": _inner,
    "dotted_name": _dotted,
    "member_type": _dotted,
    "binary_operator": _chain,
    "boolean_operator": _chain,
    "union_type": _chain,
    "unary_operator": _unary,
    "not_operator": _unary,
    "comparison_operator": _comparison,
    "yield": _yield,
    "await": _await,
    "named_expression": _walrus,
    "conditional_expression": _choice,
    "subscript": _subscript,
    "generic_type": _generic,
    "slice": _slice,
    "list": _group("list"),
    "list_pattern": _group("list"),
    "tuple": _group("tuple"),
    "tuple_pattern": _tuple_pattern,
    "pattern_list": _group("tuple"),
    "expression_list": _group("tuple"),
    "set": _group("set"),
    "dictionary": _group("dict"),
    "pair": _pair,
    "list_splat": _spread,
    "dictionary_splat": _spread,
    "list_splat_pattern": _spread,
    "dictionary_splat_pattern": _spread,
    "splat_type": _spread,
    "list_comprehension": _comprehension("list"),
    "set_comprehension": _comprehension("set"),
    "dictionary_comprehension": _comprehension("dict"),
    "generator_expression": _comprehension("generator"),
    "ellipsis": other,
}
EXPRESSIONS: dict[int, Lower] = {kind(name): lower for name, lower in _TABLE.items()}
