"""Expressions of TypeScript and JavaScript, lowered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from tree_sitter import Node

from guardrails.outline import Arg, Attr, Await, Call, Choice, Expr, Group, Index, Literal_, Op, Other, Pair, Ref, Spread, Text
from guardrails.read.build import DEEPEST
from guardrails.read.tree import COMMENTS, Reader, ToExpr, error_expr, first, number, other, parts, unescape
from guardrails.read.typescript_function import closure, is_closure
from guardrails.read.typescript_types import TYPES, key_of

_SPELLINGS = {"&&": "and", "||": "or", "!": "not", "===": "==", "!==": "!="}
_TRANSPARENT = frozenset({"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"})


def named(r: Reader, node: Node, name: str, label: Node, exported: bool = False) -> Expr:
    """The value of a variable or property: a function that stands there directly bears that name."""
    inner: Node | None = node
    while inner is not None and inner.type in _TRANSPARENT:
        inner = first(inner)
    if name and inner is not None and is_closure(inner) and r.depth < DEEPEST:
        r.depth += 1
        value = closure(r, inner, name, label, exported)
        r.depth -= 1
        return value
    return r.expr(node)


def _ref(r: Reader, node: Node) -> Expr:
    return Ref(node.start_byte, node.end_byte, r.text(node))


Link: TypeAlias = Callable[[Reader, Node, Expr], Expr]


def _chain(r: Reader, node: Node) -> Expr:
    """`a.b().c[0]` from its end to its start in a loop: two links, `.b` and `()`, are one level."""
    links: list[tuple[Link, Node]] = []
    before = r.depth
    while before + len(links) // 2 < DEEPEST and (link := _LINKS.get(node.type)) is not None:
        links.append((link, node))
        node = node.children[0]
    r.depth = before + len(links) // 2
    value = r.expr(node)
    while links:
        link, part = links.pop()
        r.depth = before + len(links) // 2
        value = link(r, part, value)
    return value


def _member(r: Reader, node: Node, base: Expr) -> Expr:
    last = r.text(node.children[-1])
    if type(base) is Ref:
        return Ref(base.start, node.end_byte, f"{base.name}.{last}")
    return Attr(node.start_byte, node.end_byte, base, last)


def _call(r: Reader, node: Node, base: Expr) -> Expr:
    return Call(node.start_byte, node.end_byte, base, _arguments(r, node))


def _arguments(r: Reader, node: Node) -> tuple[Arg, ...]:
    arguments = node.children[-1]
    if arguments.type == "template_string":
        return (Arg(r.expr(arguments)),)
    if arguments.type != "arguments":
        return ()
    args: list[Arg] = []
    for child in arguments.named_children:  # no comprehension: calls nest deeply, and each is a Python frame more
        if child.type == "spread_element":
            args.append(Arg(r.inner(child), "", "*"))
        elif child.type != "comment":
            args.append(Arg(r.expr(child)))
    return tuple(args)


def _subscript(r: Reader, node: Node, base: Expr) -> Expr:
    return Index(node.start_byte, node.end_byte, base, r.field(node, "index"))


def _non_null(r: Reader, node: Node, base: Expr) -> Expr:
    return base


_LINKS: dict[str, Link] = {
    "call_expression": _call,
    "member_expression": _member,
    "non_null_expression": _non_null,
    "subscript_expression": _subscript,
}


def _new(r: Reader, node: Node) -> Expr:
    return Call(node.start_byte, node.end_byte, r.field(node, "constructor"), _arguments(r, node))


def _inner(r: Reader, node: Node) -> Expr:
    return r.inner(node)


def _second(r: Reader, node: Node) -> Expr:
    """`<T>x` is x."""
    inside = parts(node)
    return r.expr(inside[-1]) if inside else other(r, node)


def _binary(r: Reader, node: Node) -> Expr:
    """Flat for a run of one operator, however long."""
    start, end = node.start_byte, node.end_byte
    operator = _operator(node)
    if operator == ">" and node.children[-1].type == "template_string" and node.children[0].type == "binary_expression":
        return _generic_tag(r, node)
    operands: list[Node] = []
    while node.type == "binary_expression" and _operator(node) == operator:
        right = node.child_by_field_name("right")
        if right is not None:
            operands.append(right)
        node = node.children[0]
    operands.append(node)
    return Op(start, end, _SPELLINGS.get(operator, operator), tuple([r.expr(part) for part in reversed(operands)]))


def _generic_tag(r: Reader, node: Node) -> Expr:
    """``sql<Row>`...` ``, which the grammar takes for two comparisons."""
    compared = node.children[0]
    return Call(node.start_byte, node.end_byte, r.expr(compared.children[0]), (Arg(r.expr(node.children[-1])),))


def _operator(node: Node) -> str:
    inside = node.children
    operator = inside[1] if len(inside) == 3 else node.child_by_field_name("operator")
    return operator.type if operator is not None else ""


def _unary(r: Reader, node: Node) -> Expr:
    operator = _operator(node)
    return Op(node.start_byte, node.end_byte, _SPELLINGS.get(operator, operator), (r.field(node, "argument"),))


def _await(r: Reader, node: Node) -> Expr:
    return Await(node.start_byte, node.end_byte, r.inner(node))


def _yield(r: Reader, node: Node) -> Expr:
    operator = "yield from" if any(child.type == "*" for child in node.children) else "yield"
    inside = first(node)
    return Op(node.start_byte, node.end_byte, operator, () if inside is None else (r.expr(inside),))


def _ternary(r: Reader, node: Node) -> Expr:
    return Choice(node.start_byte, node.end_byte, r.field(node, "condition"), r.field(node, "consequence"), r.field(node, "alternative"))


def assign(r: Reader, node: Node, start: int, end: int) -> tuple[Expr, Expr]:
    """An assignment is a step wherever it stands; `a = b = c` is one with two targets."""
    targets = [r.field(node, "left")]
    label, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    while right is not None and right.type == "assignment_expression":
        targets.append(r.field(right, "left"))
        label, right = right.child_by_field_name("left"), right.child_by_field_name("right")
    last = targets[-1]
    name = last.name.rpartition(".")[2] if isinstance(last, (Ref, Attr)) else ""
    exported = isinstance(last, Ref) and last.name.startswith(("exports.", "module.exports"))
    value = Other(end, end, "missing", ()) if right is None or label is None else named(r, right, name, label, exported)
    r.builder.step("assign", start, end, value, tuple(targets))
    return targets[0], value


def augment(r: Reader, node: Node, start: int, end: int) -> tuple[Expr, Expr]:
    """`x += 1`, and `x++` as the same."""
    operator, value = _operator(node), r.field_or_none(node, "right")
    if value is None:
        operator, value = operator[:1] + "=", Literal_(node.start_byte, node.end_byte, "number", 1)
    target = r.field(node, "argument" if node.type == "update_expression" else "left")
    r.builder.step("augment", start, end, value, (target,), op=operator)
    return target, value


def _walrus(r: Reader, node: Node) -> Expr:
    """The value of an assignment inside an expression; its calls stand in its own step."""
    record = assign if node.type == "assignment_expression" else augment
    target, value = record(r, node, node.start_byte, node.end_byte)
    return Op(node.start_byte, node.end_byte, "walrus", (target, value))


def _string(r: Reader, node: Node) -> Expr:
    return Literal_(node.start_byte, node.end_byte, "string", unescape(r.text(node)[1:-1]))


def _template(r: Reader, node: Node) -> Expr:
    """One without substitutions is a plain string."""
    inside = [child for child in node.named_children if child.type not in COMMENTS]
    if all(child.type in ("string_fragment", "escape_sequence") for child in inside):
        return _string(r, node)
    return Text(node.start_byte, node.end_byte, tuple([r.expr(part) for part in inside]))


def _fragment(r: Reader, node: Node) -> Expr:
    return Literal_(node.start_byte, node.end_byte, "string", unescape(r.text(node)))


def _number(r: Reader, node: Node) -> Expr:
    return Literal_(node.start_byte, node.end_byte, "number", number(r.text(node).rstrip("n")))


def _regex(r: Reader, node: Node) -> Expr:
    pattern = node.child_by_field_name("pattern")
    return Literal_(node.start_byte, node.end_byte, "regex", r.text(pattern) if pattern is not None else "")


def _true(r: Reader, node: Node) -> Expr:
    return Literal_(node.start_byte, node.end_byte, "bool", True)


def _false(r: Reader, node: Node) -> Expr:
    return Literal_(node.start_byte, node.end_byte, "bool", False)


def _nothing(r: Reader, node: Node) -> Expr:
    return Literal_(node.start_byte, node.end_byte, "none", None)


def _object(r: Reader, node: Node) -> Expr:
    return Group(node.start_byte, node.end_byte, "dict", tuple([r.expr(part) for part in parts(node)]))


def _array(r: Reader, node: Node) -> Expr:
    return Group(node.start_byte, node.end_byte, "list", tuple([r.expr(part) for part in parts(node)]))


def _pair(r: Reader, node: Node) -> Expr:
    key_node, value_node = node.child_by_field_name("key"), node.child_by_field_name("value")
    if key_node is None or value_node is None:
        return other(r, node)
    key = _key(r, key_node)
    name = key.value if isinstance(key, Literal_) and isinstance(key.value, str) else ""
    return Pair(node.start_byte, node.end_byte, key, named(r, value_node, name, key_node))


def _key(r: Reader, node: Node) -> Expr:
    if node.type in ("computed_property_name", "number", "string"):
        return r.inner(node) if node.type == "computed_property_name" else r.expr(node)
    return Literal_(node.start_byte, node.end_byte, "string", key_of(r, node))


def _shorthand(r: Reader, node: Node) -> Expr:
    start, end, name = node.start_byte, node.end_byte, r.text(node)
    return Pair(start, end, Literal_(start, end, "string", name), Ref(start, end, name))


def _method(r: Reader, node: Node) -> Expr:
    """A method of an object literal."""
    label = node.child_by_field_name("name")
    if label is None:
        return other(r, node)
    key = _key(r, label)
    return Pair(node.start_byte, node.end_byte, key, closure(r, node, key_of(r, label), label))


def _spread(r: Reader, node: Node) -> Expr:
    return Spread(node.start_byte, node.end_byte, r.inner(node))


def _default(r: Reader, node: Node) -> Expr:
    """A target with a default, in a destructuring pattern."""
    return Op(node.start_byte, node.end_byte, "=", (r.field(node, "left"), r.field(node, "right")))


def _closure(r: Reader, node: Node) -> Expr:
    return closure(r, node)


def _jsx(r: Reader, node: Node) -> Expr:
    """The attributes as pairs and the embedded expressions."""
    opening = node.child_by_field_name("open_tag") or node
    inside = [r.expr(attribute) for attribute in opening.children_by_field_name("attribute")]
    if opening is not node:
        inside.extend([r.expr(child) for child in node.named_children if child.type in _JSX_CHILDREN])
    return Other(node.start_byte, node.end_byte, "jsx", tuple(inside))


_JSX_CHILDREN = frozenset({"jsx_expression", "jsx_element", "jsx_self_closing_element", "ERROR"})


def _attribute(r: Reader, node: Node) -> Expr:
    label, *values = parts(node)
    key = Literal_(label.start_byte, label.end_byte, "string", key_of(r, label))
    if not values:
        return Pair(node.start_byte, node.end_byte, key, Literal_(node.start_byte, node.end_byte, "bool", True))
    inside = first(values[0]) if values[0].type == "jsx_expression" else values[0]
    value = other(r, values[0]) if inside is None else named(r, inside, key_of(r, label), label)
    return Pair(node.start_byte, node.end_byte, key, value)


def _embedded(r: Reader, node: Node) -> Expr:
    inside = first(node)
    return Other(node.start_byte, node.end_byte, "jsx", ()) if inside is None else r.expr(inside)


EXPRESSIONS: Mapping[str, ToExpr] = {
    **TYPES,
    **dict.fromkeys(("identifier", "this", "super", "import", "property_identifier", "private_property_identifier", "meta_property",
                     "shorthand_property_identifier_pattern", "statement_identifier"), _ref),
    **dict.fromkeys(_LINKS, _chain),
    **dict.fromkeys(("parenthesized_expression", "as_expression", "satisfies_expression", "instantiation_expression", "decorator",
                     "template_substitution", "computed_property_name", "else_clause"), _inner),
    **dict.fromkeys(("arrow_function", "function_expression", "generator_function", "class"), _closure),
    **dict.fromkeys(("assignment_expression", "augmented_assignment_expression", "update_expression"), _walrus),
    **dict.fromkeys(("spread_element", "rest_pattern"), _spread),
    **dict.fromkeys(("assignment_pattern", "object_assignment_pattern"), _default),
    **dict.fromkeys(("object", "object_pattern"), _object),
    **dict.fromkeys(("array", "array_pattern"), _array),
    **dict.fromkeys(("pair", "pair_pattern"), _pair),
    **dict.fromkeys(("jsx_element", "jsx_self_closing_element"), _jsx),
    **dict.fromkeys(("string_fragment", "escape_sequence"), _fragment),
    **dict.fromkeys(("null", "undefined"), _nothing),
    "ERROR": error_expr,
    "await_expression": _await,
    "binary_expression": _binary,
    "false": _false,
    "jsx_attribute": _attribute,
    "jsx_expression": _embedded,
    "method_definition": _method,
    "new_expression": _new,
    "number": _number,
    "regex": _regex,
    "shorthand_property_identifier": _shorthand,
    "string": _string,
    "template_string": _template,
    "ternary_expression": _ternary,
    "true": _true,
    "type_assertion": _second,
    "unary_expression": _unary,
    "yield_expression": _yield,
}  # fmt: skip
