"""Types of TypeScript, lowered: names, generics as `Index`, anything else as `Other`."""

from __future__ import annotations

from collections.abc import Mapping

from tree_sitter import Node

from guardrails.outline import Expr, Group, Index, Literal_, Pair, Ref
from guardrails.read.tree import Reader, ToExpr, first, parts


def annotation(r: Reader, node: Node, field: str = "type") -> Expr | None:
    """The type in a field such as `: Promise<Foo>`."""
    child = node.child_by_field_name(field)
    return None if child is None else r.inner(child)


def type_name(r: Reader, node: Node) -> Expr:
    """`Foo`, `a.Foo`."""
    return Ref(node.start_byte, node.end_byte, "".join(r.text(node).split()))


def applied(r: Reader, base: Expr, arguments: Node | None, end: int) -> Expr:
    """`base<arguments>`; several arguments are a tuple."""
    if arguments is None:
        return base
    types = tuple([r.expr(part) for part in parts(arguments)])
    key = types[0] if len(types) == 1 else Group(arguments.start_byte, arguments.end_byte, "tuple", types)
    return Index(base.start, end, base, key)


def _generic(r: Reader, node: Node) -> Expr:
    return applied(r, r.field(node, "name"), node.child_by_field_name("type_arguments"), node.end_byte)


def _transparent(r: Reader, node: Node) -> Expr:
    return r.inner(node)


def _property(r: Reader, node: Node) -> Expr:
    """A field of an object type; one without a type is `any`."""
    name = node.child_by_field_name("name")
    key = Literal_(node.start_byte, node.end_byte, "string", "" if name is None else key_of(r, name))
    kind = annotation(r, node) or Ref(node.end_byte, node.end_byte, "any")
    return Pair(node.start_byte, node.end_byte, key, kind)


def key_of(r: Reader, node: Node) -> str:
    """The name of a property, whether it is written as an identifier, a string or a number."""
    inner = first(node) if node.type == "string" else None
    return r.text(inner) if inner is not None else r.text(node).strip("'\"")


TYPES: Mapping[str, ToExpr] = {
    "type_identifier": type_name,
    "predefined_type": type_name,
    "nested_type_identifier": type_name,
    "nested_identifier": type_name,
    "this_type": type_name,
    "generic_type": _generic,
    "parenthesized_type": _transparent,
    "readonly_type": _transparent,
    "literal_type": _transparent,
    "type_annotation": _transparent,
    "property_signature": _property,
}
