"""Python's parameters, annotations and lambdas."""

from __future__ import annotations

import re

from tree_sitter import Node

from guardrails.outline import Closure, Expr, Group, Index, Literal_, Op, Param, Ref, walk
from guardrails.read.python_expr import EXPRESSIONS, IDENTIFIER, expr, other
from guardrails.read.python_tree import TOKENS, Reader, kind

_SPLAT, _DOUBLE_SPLAT = kind("list_splat_pattern"), kind("dictionary_splat_pattern")
_TYPED, _DEFAULT, _TYPED_DEFAULT = kind("typed_parameter"), kind("default_parameter"), kind("typed_default_parameter")
_MARKS = (kind("positional_separator"), kind("keyword_separator"))
_LAMBDA_PARAMETERS = kind("lambda_parameters")
_TYPE, _ASSIGN = kind("type"), kind("=", False)
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


def parameters(r: Reader, node: Node) -> tuple[Param, ...]:
    """The parameters of a function or lambda; the bare markers `/` and `*` are none."""
    return tuple([_parameter(r, part) for part in r.parts(node) if part.kind_id not in _MARKS])


def _parameter(r: Reader, node: Node) -> Param:
    if node.kind_id not in (_TYPED, _DEFAULT, _TYPED_DEFAULT):
        name, kind_ = _named(r, node)
        return Param(name, None, None, kind_)
    name, kind_, annotated, default, after = "", "", None, None, False
    for index, child in enumerate(r.clean(node.children)):
        found = child.kind_id
        if index == 0:
            name, kind_ = _named(r, child)
        elif found == _ASSIGN:
            after = True
        elif found not in TOKENS and after:
            default = expr(r, child)
        elif found == _TYPE:
            annotated = annotation(r, child)
    return Param(name, annotated, default, kind_)


def _named(r: Reader, node: Node) -> tuple[str, str]:
    """The name and kind of a parameter without its annotation and default."""
    found = node.kind_id
    if found == IDENTIFIER:
        return r.name(node), ""
    inner = expr(r, node)
    names = ",".join([part.name for part in walk(inner) if type(part) is Ref])
    return names, "*" if found == _SPLAT else "**" if found == _DOUBLE_SPLAT else "pattern"


def annotation(r: Reader, node: Node) -> Expr:
    """A type; names in quotes become names."""
    return _unquoted(expr(r, node))


def _unquoted(found: Expr) -> Expr:
    match found:
        case Literal_(kind="string", value=str(text)) if _DOTTED.fullmatch(text):
            inside = 1 if found.end - found.start == len(text.encode()) + 2 else 0
            return Ref(found.start + inside, found.end - inside, text)
        case Index(base=Ref(name=name)) if _last(name) == "Literal":
            return found
        case Index(start, end, Ref(name=name) as base, Group(items=(first, *rest)) as key) if _last(name) == "Annotated":
            return Index(start, end, base, Group(key.start, key.end, key.kind, (_unquoted(first), *rest)))
        case Index(start, end, base, key):
            return Index(start, end, base, _unquoted(key))
        case Group(start, end, kind_, parts):
            return Group(start, end, kind_, tuple([_unquoted(part) for part in parts]))
        case Op(start, end, "|", parts):
            return Op(start, end, "|", tuple([_unquoted(part) for part in parts]))
    return found


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _lambda(r: Reader, node: Node) -> Expr:
    start, end = node.start_byte, node.end_byte
    parts = r.parts(node)
    if not parts:
        return other(r, node)
    params = parameters(r, parts[0]) if parts[0].kind_id == _LAMBDA_PARAMETERS else ()
    frame = r.builder.open_function("<lambda>", "closure", start, end)
    frame.params = params
    body = parts[-1]
    step = r.builder.step("return", body.start_byte, body.end_byte, expr(r, body))
    for param in params:
        r.builder.aside(step, param.default)
    r.builder.close_function()
    return Closure(start, end, frame.index)


EXPRESSIONS[kind("lambda")] = _lambda
