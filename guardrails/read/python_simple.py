"""Python's simple statements, lowered: one function a kind of node, looked up by its number."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tree_sitter import Node

from guardrails.outline import Arg, Call, Expr, Group, Index, Op, Ref
from guardrails.outline import StepKind as Kind
from guardrails.read.python_expr import expr, several
from guardrails.read.python_params import annotation
from guardrails.read.python_tree import Reader, kind

State: TypeAlias = Callable[[Reader, Node], None]

_ASSIGNMENT, _AUGMENTED, _TYPE = kind("assignment"), kind("augmented_assignment"), kind("type")
_ALIASED, _STAR, _CHEVRON = kind("aliased_import"), kind("wildcard_import"), kind("chevron")


def _expression_statement(r: Reader, node: Node) -> None:
    parts = node.children
    if len(parts) != 1:
        parts = r.parts(node)
        if not parts:
            return
    found = parts[0].kind_id
    if found == _ASSIGNMENT:
        _assignment(r, parts[0])
    elif found == _AUGMENTED:
        _augmented(r, parts[0])
    else:
        value = several(r, parts)
        r.builder.step("expr", node.start_byte, node.end_byte, value)


def _assignment(r: Reader, node: Node) -> None:
    """`a = b = c` is one step with two targets; `a: b` has no value."""
    start, end = node.start_byte, node.end_byte
    targets: list[Expr] = []
    annotated: Expr | None = None
    value: Expr | None = None
    while True:
        first, *rest = r.parts(node)
        targets.append(expr(r, first))
        if rest and rest[0].kind_id == _TYPE:
            annotated = annotation(r, rest.pop(0))
        if not rest or rest[0].kind_id != _ASSIGNMENT:
            break
        node = rest[0]
    if rest:
        value = several(r, rest)
    r.builder.step("assign", start, end, value, tuple(targets), annotated)


def _augmented(r: Reader, node: Node) -> None:
    parts = r.clean(node.children)
    if len(parts) == 3:
        target, value = expr(r, parts[0]), expr(r, parts[2])
        r.builder.step("augment", node.start_byte, node.end_byte, value, (target,), op=parts[1].type)


def _alias(r: Reader, node: Node) -> None:
    """`type X[T] = ...`"""
    parts = r.parts(node)
    if len(parts) != 2:
        return
    name, value = expr(r, parts[0]), annotation(r, parts[1])
    target = name.base if type(name) is Index else name
    r.builder.step("assign", node.start_byte, node.end_byte, value, (target,))


def _import(r: Reader, node: Node) -> None:
    for part in r.parts(node):
        module, name = _aliased(r, part)
        start, end = part.start_byte, part.end_byte
        if name:
            r.builder.bind(name, module, start, end)
        else:
            first = module.partition(".")[0]
            r.builder.bind(first, first, start, end)


def _import_from(r: Reader, node: Node) -> None:
    module, *names = r.parts(node)
    source = _dotted(r, module)
    prefix = source if source.endswith(".") else source + "."
    for part in names:
        start, end = part.start_byte, part.end_byte
        if part.kind_id == _STAR:
            r.builder.bind("", source, start, end)
        else:
            target, name = _aliased(r, part)
            r.builder.bind(name or target, prefix + target, start, end)


def _aliased(r: Reader, node: Node) -> tuple[str, str]:
    """What is imported, and as what."""
    if node.kind_id != _ALIASED:
        return _dotted(r, node), ""
    module, *name = r.parts(node)
    return _dotted(r, module), r.name(name[0]) if name else ""


def _dotted(r: Reader, node: Node) -> str:
    text = r.name(node)
    if text.replace(".", "").isidentifier():
        return text
    return "".join([r.name(leaf) if leaf.child_count == 0 else _dotted(r, leaf) for leaf in r.clean(node.children)]) or text.strip()


def _values(of: Kind) -> State:
    def lower(r: Reader, node: Node) -> None:
        parts = r.parts(node)
        value = several(r, parts) if parts else None
        r.builder.step(of, node.start_byte, node.end_byte, value)

    return lower


def _raise(r: Reader, node: Node) -> None:
    start, end = node.start_byte, node.end_byte
    parts = [expr(r, part) for part in r.parts(node)]
    value = parts[0] if parts else None
    if len(parts) == 2:
        value = Op(parts[0].start, parts[1].end, "from", tuple(parts))
    r.builder.step("raise", start, end, value)


def _assert(r: Reader, node: Node) -> None:
    parts = [expr(r, part) for part in r.parts(node)]
    step = r.builder.step("assert", node.start_byte, node.end_byte, parts[0] if parts else None)
    for message in parts[1:]:
        r.builder.aside(step, message)


def _delete(r: Reader, node: Node) -> None:
    targets: list[Expr] = []
    for part in r.parts(node):
        one = expr(r, part)
        targets.extend(one.items if type(one) is Group and one.kind != "dict" else (one,))
    r.builder.step("delete", node.start_byte, node.end_byte, None, tuple(targets))


def _command(r: Reader, node: Node) -> None:
    """`print x` and `exec x` of Python 2 are calls; where print writes to is its argument `file`."""
    start, end = node.start_byte, node.end_byte
    word = node.children[0]
    args = []
    for part in r.parts(node):
        if part.kind_id == _CHEVRON:
            args.extend([Arg(expr(r, inner), "file") for inner in r.parts(part)])
        else:
            args.append(Arg(expr(r, part)))
    name = Ref(word.start_byte, word.end_byte, r.of(word))
    r.builder.called = True
    r.builder.step("expr", start, end, Call(start, end, name, tuple(args)))


def _nothing(r: Reader, node: Node) -> None:
    r.parts(node)


_TABLE: dict[str, State] = {
    "expression_statement": _expression_statement,
    "import_statement": _import,
    "import_from_statement": _import_from,
    "future_import_statement": _nothing,
    "type_alias_statement": _alias,
    "return_statement": _values("return"),
    "raise_statement": _raise,
    "break_statement": _values("break"),
    "continue_statement": _values("continue"),
    "assert_statement": _assert,
    "delete_statement": _delete,
    "print_statement": _command,
    "exec_statement": _command,
    "pass_statement": _nothing,
    "global_statement": _nothing,
    "nonlocal_statement": _nothing,
}
SIMPLE: dict[int, State] = {kind(name): lower for name, lower in _TABLE.items()}
