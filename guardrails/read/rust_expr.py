"""Expressions of Rust, lowered. Those that steer control are in `rust_flow`, macros in `rust_macro`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from tree_sitter import Node

from guardrails.outline import Arg, Attr, Await, Call, Closure, Expr, Group, Index, Literal_, Op, Other, Pair, Ref, Spread
from guardrails.read.build import DEEPEST
from guardrails.read.rust_flow import CONTROL, body, control
from guardrails.read.rust_item import closure_params
from guardrails.read.rust_macro import call as macro
from guardrails.read.rust_pattern import PATTERNS, path
from guardrails.read.tree import COMMENTS, Reader, ToExpr, error_expr, first, number, other, parts, unescape

_SPELLINGS = {"&&": "and", "||": "or", "!": "not"}
_SUFFIX = re.compile(r"(?:[iu](?:8|16|32|64|128|size)|(?<!x)f(?:32|64))$")


Link: TypeAlias = Callable[[Reader, Node, Expr], Expr]


def _chain(r: Reader, node: Node) -> Expr:
    """`a.b().await?` from its end to its start in a loop: two links, `.b` and `()`, are one level."""
    links: list[tuple[Link, Node]] = []
    before = r.depth
    while before + len(links) // 2 < DEEPEST:
        link = _LINKS.get(node.type)
        if link is not None:
            links.append((link, node))
        elif node.type != "generic_function":
            break
        node = node.children[0]
    r.depth = before + len(links) // 2
    value = r.expr(node)
    while links:
        link, part = links.pop()
        r.depth = before + len(links) // 2
        value = link(r, part, value)
    return value


def _field(r: Reader, node: Node, base: Expr) -> Expr:
    name = r.text(node.children[-1]).removeprefix("r#")
    if type(base) is Ref:
        return Ref(base.start, node.end_byte + r.shift, f"{base.name}.{name}")
    return Attr(node.start_byte + r.shift, node.end_byte + r.shift, base, name)


def _call(r: Reader, node: Node, base: Expr) -> Expr:
    arguments = node.children[-1]
    inside = arguments.named_children if arguments.type == "arguments" else ()
    args = tuple([Arg(r.expr(one)) for one in inside if one.type not in _NO_ARGUMENTS])
    return Call(node.start_byte + r.shift, node.end_byte + r.shift, base, args)


def _await(r: Reader, node: Node, base: Expr) -> Expr:
    return Await(node.start_byte + r.shift, node.end_byte + r.shift, base)


def _try(r: Reader, node: Node, base: Expr) -> Expr:
    return Op(node.start_byte + r.shift, node.end_byte + r.shift, "?", (base,))


def _index(r: Reader, node: Node, base: Expr) -> Expr:
    inside = parts(node)
    key = r.expr(inside[-1]) if len(inside) > 1 else Other(base.end, base.end, "missing", ())
    return Index(node.start_byte + r.shift, node.end_byte + r.shift, base, key)


_NO_ARGUMENTS = COMMENTS | {"attribute_item"}
_LINKS: dict[str, Link] = {
    "await_expression": _await,
    "call_expression": _call,
    "field_expression": _field,
    "index_expression": _index,
    "try_expression": _try,
}


def _inner(r: Reader, node: Node) -> Expr:
    return r.inner(node)


def _value(r: Reader, node: Node) -> Expr:
    """`&x`, `&mut x`, `x as T` are x."""
    return r.field(node, "value")


def _unary(r: Reader, node: Node) -> Expr:
    operator = node.children[0].type
    if operator == "*":
        return r.inner(node)
    return Op(node.start_byte + r.shift, node.end_byte + r.shift, _SPELLINGS.get(operator, operator), (r.inner(node),))


def _binary(r: Reader, node: Node) -> Expr:
    """Flat for a run of one operator, however long."""
    start, end = node.start_byte + r.shift, node.end_byte + r.shift
    operator = _operator(node)
    operands: list[Node] = []
    while node.type == "binary_expression" and _operator(node) == operator:
        operands.append(node.children[-1])
        node = node.children[0]
    operands.append(node)
    return Op(start, end, _SPELLINGS.get(operator, operator), tuple([r.expr(part) for part in reversed(operands)]))


def _operator(node: Node) -> str:
    inside = node.children
    operator = inside[1] if len(inside) == 3 else node.child_by_field_name("operator")
    return operator.type if operator is not None else ""


def _let(r: Reader, node: Node) -> Expr:
    """The condition of `if let` and `while let`."""
    return Op(node.start_byte + r.shift, node.end_byte + r.shift, "let", (r.field(node, "pattern"), r.field(node, "value")))


def _let_chain(r: Reader, node: Node) -> Expr:
    return Op(node.start_byte + r.shift, node.end_byte + r.shift, "and", tuple([r.expr(part) for part in parts(node)]))


def _tuple(r: Reader, node: Node) -> Expr:
    return Group(node.start_byte + r.shift, node.end_byte + r.shift, "tuple", tuple([r.expr(part) for part in parts(node)]))


def _array(r: Reader, node: Node) -> Expr:
    items = tuple([r.expr(part) for part in parts(node)])
    start, end = node.start_byte + r.shift, node.end_byte + r.shift
    return Other(start, end, "repeat", items) if node.child_by_field_name("length") is not None else Group(start, end, "list", items)


def _struct(r: Reader, node: Node) -> Expr:
    """`TaskSpec::X { a: 1, ..d }`."""
    name, fields = node.child_by_field_name("name"), node.child_by_field_name("body")
    items = tuple([r.expr(part) for part in parts(fields) if part.type != "attribute_item"]) if fields is not None else ()
    return Group(node.start_byte + r.shift, node.end_byte + r.shift, "dict", items, path(r, name) if name is not None else "")


def _initializer(r: Reader, node: Node) -> Expr:
    label, value = node.child_by_field_name("field"), node.child_by_field_name("value")
    if label is None or value is None:
        return other(r, node)
    key = Literal_(label.start_byte + r.shift, label.end_byte + r.shift, "string", r.text(label).removeprefix("r#"))
    return Pair(node.start_byte + r.shift, node.end_byte + r.shift, key, named(r, value, str(key.value), label))


def _shorthand(r: Reader, node: Node) -> Expr:
    start, end = node.start_byte + r.shift, node.end_byte + r.shift
    name = path(r, first(node) or node)
    return Pair(start, end, Literal_(start, end, "string", name), Ref(start, end, name))


def _spread(r: Reader, node: Node) -> Expr:
    return Spread(node.start_byte + r.shift, node.end_byte + r.shift, r.inner(node))


def named(r: Reader, node: Node, name: str, label: Node) -> Expr:
    """The value of a variable or field: a closure that stands there directly bears that name."""
    if node.type == "closure_expression" and name and r.depth < DEEPEST:
        return _closure(r, node, name, label)
    return r.expr(node)


def _closure(r: Reader, node: Node, name: str = "<lambda>", label: Node | None = None) -> Expr:
    frame = r.open(node, "closure", name, label)
    frame.params = closure_params(r, node)
    frame.is_async = any(child.type == "async" for child in node.children)
    returns = node.child_by_field_name("return_type")
    frame.returns = None if returns is None else r.expr(returns)
    body(r, node.child_by_field_name("body"), "return")
    r.builder.close_function()
    return Closure(node.start_byte + r.shift, node.end_byte + r.shift, frame.index)


def _async_block(r: Reader, node: Node) -> Expr:
    frame = r.open(node, "block", "<block>", None)
    frame.is_async = True
    body(r, first(node), "return")
    r.builder.close_function()
    return Closure(node.start_byte + r.shift, node.end_byte + r.shift, frame.index)


def _yield(r: Reader, node: Node) -> Expr:
    inside = first(node)
    return Op(node.start_byte + r.shift, node.end_byte + r.shift, "yield", () if inside is None else (r.expr(inside),))


def _string(r: Reader, node: Node) -> Expr:
    """Strings, byte strings, raw strings and characters."""
    raw = r.text(node)
    if node.type == "raw_string_literal":
        value, prefix = raw.lstrip("bcr").strip("#")[1:-1], raw[:1]
    else:
        value, prefix = unescape(raw.lstrip("bc")[1:-1]), raw[:1]
    return Literal_(node.start_byte + r.shift, node.end_byte + r.shift, "bytes" if prefix == "b" else "string", value)


def _number(r: Reader, node: Node) -> Expr:
    value = number(_SUFFIX.sub("", r.text(node).replace("_", "")))
    return Literal_(node.start_byte + r.shift, node.end_byte + r.shift, "number", value)


def _negative(r: Reader, node: Node) -> Expr:
    return Op(node.start_byte + r.shift, node.end_byte + r.shift, "-", (r.inner(node),))


def _bool(r: Reader, node: Node) -> Expr:
    return Literal_(node.start_byte + r.shift, node.end_byte + r.shift, "bool", r.text(node) == "true")


def _range(r: Reader, node: Node) -> Expr:
    return Other(node.start_byte + r.shift, node.end_byte + r.shift, "range", tuple([r.expr(part) for part in parts(node)]))


EXPRESSIONS: Mapping[str, ToExpr] = {
    **PATTERNS,
    **dict.fromkeys(CONTROL, control),
    **dict.fromkeys((*_LINKS, "generic_function"), _chain),
    **dict.fromkeys(("reference_expression", "type_cast_expression"), _value),
    **dict.fromkeys(("string_literal", "raw_string_literal", "char_literal"), _string),
    **dict.fromkeys(("integer_literal", "float_literal"), _number),
    **dict.fromkeys(("range_expression", "range_pattern"), _range),
    "ERROR": error_expr,
    "array_expression": _array,
    "async_block": _async_block,
    "base_field_initializer": _spread,
    "binary_expression": _binary,
    "boolean_literal": _bool,
    "closure_expression": _closure,
    "field_initializer": _initializer,
    "let_chain": _let_chain,
    "let_condition": _let,
    "macro_invocation": macro,
    "negative_literal": _negative,
    "parenthesized_expression": _inner,
    "shorthand_field_initializer": _shorthand,
    "struct_expression": _struct,
    "tuple_expression": _tuple,
    "unary_expression": _unary,
    "yield_expression": _yield,
}
