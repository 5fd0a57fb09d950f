"""Paths, patterns and types of Rust, lowered."""

from __future__ import annotations

from collections.abc import Mapping

from tree_sitter import Node

from guardrails.outline import Expr, Group, Index, Literal_, Op, Other, Pair, Ref
from guardrails.read.tree import COMMENTS, Reader, ToExpr, bound, parts


def path(r: Reader, node: Node) -> str:
    """`a::b::<T>::c` as `a.b.c`; `super` is resolved as far as inline modules go, whose contents belong to the file's scope."""
    name = r.text(node)
    if not name.isidentifier():
        name = _dotted(name) if "<" not in name and " " not in name else _plain(r, node)
        if r.modules and name.startswith("super."):
            name = lifted(r, name)
    return name


def _dotted(name: str) -> str:
    return name.replace("r#", "").replace("::", ".").lstrip(".")


def _plain(r: Reader, node: Node) -> str:
    """The names of a path without what stands in angle brackets, except the type in `<T as Trait>::f`."""
    names: list[str] = []
    todo = [node]
    while todo:
        one = todo.pop()
        if one.type in ("type_arguments", "mutable_specifier", "lifetime", *COMMENTS):
            continue
        if one.type == "qualified_type":
            todo.extend(parts(one)[:1])
        elif one.named_child_count:
            todo.extend(reversed(one.named_children))
        elif one.is_named:
            names.append(_dotted(r.text(one)))
    return ".".join(names)


def lifted(r: Reader, name: str) -> str:
    """A name that starts with `super.`, as seen from the file."""
    around = list(r.modules)
    while around and name.startswith("super."):
        around.pop()
        name = name.removeprefix("super.")
    return ".".join((*around, name))


def ref(r: Reader, node: Node) -> Expr:
    """A name or path."""
    return Ref(node.start_byte + r.shift, node.end_byte + r.shift, path(r, node))


def _name(r: Reader, node: Node) -> Expr:
    start, end = node.start_byte + r.shift, node.end_byte + r.shift
    return Ref(start, end, r.text(node).removeprefix("r#"))


def names(*patterns: Expr) -> tuple[Expr, ...]:
    """The variables that patterns bind, each once; capitalised names are constants and variants."""
    found = {one.name: one for pattern in patterns for one in bound(pattern) if _is_variable(one.name)}
    return tuple(found.values())


def _is_variable(name: str) -> bool:
    return "." not in name and name != "_" and (name[:1].islower() or name[:1] == "_")


def _items(r: Reader, nodes: list[Node]) -> tuple[Expr, ...]:
    """With `_`, which is no named node, in its place."""
    return tuple([r.expr(one) for one in nodes if (one.is_named and one.type not in COMMENTS) or one.type == "_"])


def _of(r: Reader, node: Node) -> tuple[str, list[Node]]:
    """The type in front of a pattern, and what follows."""
    kind = node.child_by_field_name("type")
    inside = node.children
    return ("", inside) if kind is None else (path(r, kind), inside[1:])


def _tuple(r: Reader, node: Node) -> Expr:
    of, inside = _of(r, node)
    return Group(node.start_byte + r.shift, node.end_byte + r.shift, "tuple", _items(r, inside), of)


def _struct(r: Reader, node: Node) -> Expr:
    of, inside = _of(r, node)
    fields = [one for one in inside if one.type != "remaining_field_pattern"]
    return Group(node.start_byte + r.shift, node.end_byte + r.shift, "dict", _items(r, fields), of)


def _field(r: Reader, node: Node) -> Expr:
    start, end = node.start_byte + r.shift, node.end_byte + r.shift
    label = node.child_by_field_name("name")
    name = r.text(label) if label is not None else ""
    return Pair(start, end, Literal_(start, end, "string", name), r.field_or_none(node, "pattern") or Ref(start, end, name))


def _slice(r: Reader, node: Node) -> Expr:
    return Group(node.start_byte + r.shift, node.end_byte + r.shift, "list", _items(r, node.children))


def _either(r: Reader, node: Node) -> Expr:
    """`a | b` flat, `x @ pattern`."""
    op = "@" if node.type == "captured_pattern" else "|"
    ends: list[Node] = []
    one: Node = node
    while op == "|" and one.type == "or_pattern" and one.children[0].type == "or_pattern":
        ends.append(one.children[-1])
        one = one.children[0]
    inside = (*_items(r, one.children), *[r.expr(last) for last in reversed(ends)])
    return Op(node.start_byte + r.shift, node.end_byte + r.shift, op, inside)


def _last(r: Reader, node: Node) -> Expr:
    """`ref x`, `mut x`, `&x` are x."""
    inside = [child for child in node.children if (child.is_named and child.type not in COMMENTS) or child.type == "_"]
    return r.expr(inside[-1]) if inside else Other(node.start_byte + r.shift, node.end_byte + r.shift, node.type, ())


def _generic(r: Reader, node: Node) -> Expr:
    """`Json<T>`; several arguments are a tuple, lifetimes none of them."""
    base, arguments = r.field(node, "type"), node.child_by_field_name("type_arguments")
    types = [r.expr(one) for one in parts(arguments) if one.type != "lifetime"] if arguments is not None else []
    if arguments is None or not types:
        return base
    start, end = arguments.start_byte + r.shift, arguments.end_byte + r.shift
    key = types[0] if len(types) == 1 else Group(start, end, "tuple", tuple(types))
    return Index(base.start, end, base, key)


def _type_field(r: Reader, node: Node) -> Expr:
    return r.field(node, "type")


def _unit(r: Reader, node: Node) -> Expr:
    return Group(node.start_byte + r.shift, node.end_byte + r.shift, "tuple", ())


PATTERNS: Mapping[str, ToExpr] = {
    **dict.fromkeys(("identifier", "self", "crate", "super", "metavariable", "_", "type_identifier", "primitive_type",
                     "field_identifier", "shorthand_field_identifier"), _name),
    **dict.fromkeys(("scoped_identifier", "scoped_type_identifier", "generic_type_with_turbofish", "bracketed_type"), ref),
    **dict.fromkeys(("tuple_pattern", "tuple_struct_pattern", "tuple_type"), _tuple),
    **dict.fromkeys(("ref_pattern", "mut_pattern", "reference_pattern"), _last),
    **dict.fromkeys(("or_pattern", "captured_pattern"), _either),
    **dict.fromkeys(("reference_type", "pointer_type"), _type_field),
    **dict.fromkeys(("unit_type", "unit_expression"), _unit),
    "field_pattern": _field,
    "generic_type": _generic,
    "slice_pattern": _slice,
    "struct_pattern": _struct,
}  # fmt: skip
