"""Patterns of `match` statements, lowered."""

from __future__ import annotations

from tree_sitter import Node

from guardrails.outline import Expr, Group, Literal_, Op, Other, Pair, Ref, Spread
from guardrails.read.build import DEEPEST
from guardrails.read.python_expr import expr
from guardrails.read.python_tree import TOKENS, Reader, kind

_CASE, _NAME, _IDENTIFIER = kind("case_pattern"), kind("dotted_name"), kind("identifier")
_CLASS, _KEYWORD, _SPLAT, _AS = kind("class_pattern"), kind("keyword_pattern"), kind("splat_pattern"), kind("as_pattern")
_UNION, _TUPLE, _LIST, _DICT = kind("union_pattern"), kind("tuple_pattern"), kind("list_pattern"), kind("dict_pattern")
_COMMA, _MINUS = kind(",", False), kind("-", False)


def pattern(r: Reader, nodes: list[Node]) -> tuple[Expr, tuple[Expr, ...]]:
    """The pattern of a case, several without brackets being a tuple, and the names that it captures."""
    captured: list[Expr] = []
    parts = [_lower(r, node, captured) for node in nodes]
    whole = parts[0] if len(parts) == 1 else Group(nodes[0].start_byte, nodes[-1].end_byte, "tuple", tuple(parts))
    return whole, tuple(captured)


def _lower(r: Reader, node: Node, captured: list[Expr]) -> Expr:
    if r.depth >= DEEPEST:
        return r.too_deep(node)
    r.depth += 1
    lowered = _pattern(r, node, captured)
    r.depth -= 1
    return lowered


def _pattern(r: Reader, node: Node, captured: list[Expr]) -> Expr:
    found, start, end = node.kind_id, node.start_byte, node.end_byte
    if found == _CASE:
        return _case(r, node, captured)
    if found in (_NAME, _IDENTIFIER):
        return _name(r, node, captured)
    if found == _UNION:
        return _union(r, node, captured)
    if found == _KEYWORD:
        return _keyword(r, node, captured)
    if found == _CLASS:
        head, *rest = r.parts(node)
        return Other(start, end, "class_pattern", (expr(r, head), *[_lower(r, part, captured) for part in rest]))
    if found == _DICT:
        return Group(start, end, "dict", _dict(r, node, captured))
    if found in (_TUPLE, _LIST, _SPLAT, _AS):
        return _several(r, node, captured)
    return expr(r, node)


def _case(r: Reader, node: Node, captured: list[Expr]) -> Expr:
    start, end = node.start_byte, node.end_byte
    parts = r.clean(node.children)
    return _signed(r, parts, captured) if parts else Ref(start, end, "_")


def _name(r: Reader, node: Node, captured: list[Expr]) -> Expr:
    found = expr(r, node)
    if type(found) is Ref and "." not in found.name and found.name != "_":
        captured.append(found)
    return found


def _keyword(r: Reader, node: Node, captured: list[Expr]) -> Expr:
    name, *rest = r.parts(node)
    key = Literal_(name.start_byte, name.end_byte, "string", r.name(name))
    value = _signed(r, r.clean(node.children)[2:], captured) if rest else key
    return Pair(node.start_byte, node.end_byte, key, value)


def _signed(r: Reader, nodes: list[Node], captured: list[Expr]) -> Expr:
    """A pattern that a minus may precede."""
    if len(nodes) > 1 and nodes[0].kind_id == _MINUS:
        return Op(nodes[0].start_byte, nodes[-1].end_byte, "-", (_lower(r, nodes[-1], captured),))
    return _lower(r, nodes[-1], captured) if nodes[-1].kind_id not in TOKENS else Ref(nodes[-1].start_byte, nodes[-1].end_byte, "_")


def _union(r: Reader, node: Node, captured: list[Expr]) -> Expr:
    parts: list[Expr] = []
    run: list[Node] = []
    for child in [*r.clean(node.children), None]:
        if child is not None and child.type != "|":
            run.append(child)
        elif run:
            parts.append(_signed(r, run, captured))
            run = []
    return Op(node.start_byte, node.end_byte, "|", tuple(parts))


def _dict(r: Reader, node: Node, captured: list[Expr]) -> tuple[Expr, ...]:
    items: list[Expr] = []
    key: Expr | None = None
    for part in r.parts(node):
        if part.kind_id != _CASE and part.kind_id != _SPLAT:
            key = expr(r, part)
            continue
        value = _lower(r, part, captured)
        items.append(Pair(key.start, value.end, key, value) if key is not None else value)
        key = None
    return tuple(items)


def _several(r: Reader, node: Node, captured: list[Expr]) -> Expr:
    found, start, end = node.kind_id, node.start_byte, node.end_byte
    parts = tuple([_lower(r, part, captured) for part in r.parts(node)])
    if found == _SPLAT:
        return Spread(start, end, parts[0] if parts else Ref(end, end, "_"))
    if found == _AS:
        return Other(start, end, "as_pattern", parts)
    if found == _TUPLE and len(parts) == 1 and node.children[-2].kind_id != _COMMA:
        return parts[0]
    return Group(start, end, "list" if found == _LIST else "tuple", parts)
