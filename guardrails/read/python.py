"""Python source, lowered to an `Outline` in one walk of its syntax tree. Here: compound statements and the file itself."""

from __future__ import annotations

from tree_sitter import Node

from guardrails.outline import Arg, BlockKind, Expr, Outline, Param
from guardrails.read.python_broken import regions
from guardrails.read.python_expr import EXPRESSIONS, arguments, expr, several
from guardrails.read.python_match import pattern
from guardrails.read.python_params import annotation, parameters
from guardrails.read.python_simple import SIMPLE, State
from guardrails.read.python_tree import BLOCK, COMMENT, EXTRAS, TOKENS, Reader, kind, sweep

_ELIF, _ELSE, _EXCEPT, _FINALLY = kind("elif_clause"), kind("else_clause"), kind("except_clause"), kind("finally_clause")
_CASE, _GUARD, _AS = kind("case_clause"), kind("if_clause"), kind("as_pattern")
_WITH_CLAUSE, _TUPLE = kind("with_clause"), kind("tuple")
_NAME, _PARAMETERS, _BASES, _TYPE = kind("identifier"), kind("parameters"), kind("argument_list"), kind("type")
_DECORATOR, _TYPE_PARAMETERS = kind("decorator"), kind("type_parameter")
_ASYNC = kind("async", False)


def read(path: str, source: bytes) -> Outline:
    """The outline of a Python file; `path` is for readers whose grammar depends on it. Never fails on the content."""
    r = Reader(source)
    statements(r, r.root)
    if r.swept:
        found = sweep(r.root)
        for comment in found.get("comment", ()):
            r.comment(comment)
        for start, end, why in regions(found, STATEMENTS.keys() | {BLOCK}):
            r.builder.unreadable(start, end, why)
    r.builder.settle()
    return r.builder.outline()


def statements(r: Reader, node: Node) -> None:
    """The statements of a block or module."""
    builder = r.builder
    for child in node.children:
        found = child.kind_id
        state = STATEMENTS.get(found)
        builder.called = False
        if state is not None:
            state(r, child)
        elif found in EXTRAS:
            r.extra(child)
        elif found not in TOKENS:
            _loose(r, child)
        if r.stray:
            _strays(r)


def _strays(r: Reader) -> None:
    """What stands inside errors is read, too, after the statement in which they were met."""
    strays = {(node.start_byte, node.end_byte): node for node in r.stray}
    r.stray = []
    for node in strays.values():
        _loose(r, node)


def _loose(r: Reader, node: Node) -> None:
    """Anything that an error has left without its place."""
    found = node.kind_id
    if found in STATEMENTS:
        STATEMENTS[found](r, node)
    elif found in EXPRESSIONS or found == _NAME:
        value = expr(r, node)
        r.builder.step("expr", node.start_byte, node.end_byte, value)
    elif not r.is_too_deep(node):
        r.depth += 1
        for child in node.children:
            if child.kind_id not in TOKENS and child.kind_id != COMMENT:
                _loose(r, child)
        r.depth -= 1


def _suite(r: Reader, of: BlockKind, node: Node, opened_by: int = -1) -> None:
    r.builder.open_block(of, node.start_byte, node.end_byte, opened_by)
    _body(r, node)
    r.builder.close_block()


def _body(r: Reader, node: Node) -> None:
    if not r.is_too_deep(node):
        r.depth += 1
        statements(r, node)
        r.depth -= 1


def _if(r: Reader, node: Node) -> None:
    """Each `elif` is an if inside the else of the one before it; a long row of them is no deep nesting."""
    end, opened = node.end_byte, 0
    start, parts = node.start_byte, r.parts(node)
    step = _test(r, start, parts)
    for part in parts[1:]:
        found = part.kind_id
        if found == BLOCK:
            _suite(r, "if", part, step)
        elif found == _ELIF:
            r.builder.open_block("else", part.start_byte, end, step)
            opened += 1
            inner = r.parts(part)
            step = _test(r, part.start_byte, inner)
            for block in inner[1:]:
                _suite(r, "if", block, step)
        elif found == _ELSE:
            _clause(r, "else", part, step)
    for _ in range(opened):
        r.builder.close_block()


def _test(r: Reader, start: int, parts: list[Node]) -> int:
    return r.builder.step("test", start, parts[0].end_byte, expr(r, parts[0]))


def _clause(r: Reader, of: BlockKind, node: Node, opened_by: int = -1) -> None:
    for part in r.parts(node):
        if part.kind_id == BLOCK:
            _suite(r, of, part, opened_by)


def _while(r: Reader, node: Node) -> None:
    parts = r.parts(node)
    _loop(r, parts[1:], _test(r, node.start_byte, parts))


def _for(r: Reader, node: Node) -> None:
    parts = r.parts(node)
    tails = [part for part in parts if part.kind_id in (BLOCK, _ELSE)]
    heads = parts[: len(parts) - len(tails)]
    target = expr(r, heads[0])
    value = several(r, heads[1:]) if len(heads) > 1 else None
    step = r.builder.step("iterate", node.start_byte, heads[-1].end_byte, value, (target,))
    _loop(r, tails, step)


def _loop(r: Reader, parts: list[Node], step: int) -> None:
    for part in parts:
        if part.kind_id == BLOCK:
            _suite(r, "loop", part, step)
        elif part.kind_id == _ELSE:
            _clause(r, "else", part, step)


def _try(r: Reader, node: Node) -> None:
    for part in r.parts(node):
        found = part.kind_id
        if found == BLOCK:
            _suite(r, "try", part)
        elif found == _EXCEPT:
            _except(r, part)
        elif found in (_ELSE, _FINALLY):
            _clause(r, "else" if found == _ELSE else "finally", part)


def _except(r: Reader, node: Node) -> None:
    parts = r.parts(node)
    heads = [part for part in parts if part.kind_id != BLOCK]
    value, targets = _named(r, heads) if heads else (None, ())
    end = heads[-1].end_byte if heads else node.start_byte + len("except")
    step = r.builder.step("catch", node.start_byte, end, value, targets)
    for part in parts[len(heads) :]:
        _suite(r, "except", part, step)


def _named(r: Reader, nodes: list[Node]) -> tuple[Expr, tuple[Expr, ...]]:
    """An expression and what it is bound to by `as`."""
    parts = r.parts(nodes[0]) if nodes[0].kind_id == _AS else []
    if len(nodes) == 1 and len(parts) == 2:
        value = expr(r, parts[0])
        return value, (expr(r, parts[1]),)
    return several(r, nodes), ()


def _with(r: Reader, node: Node) -> None:
    """With blocks nest, one an item, so that each is opened by its own step."""
    opened = 0
    for part in r.parts(node):
        if part.kind_id == _WITH_CLAUSE:
            for item in _items(r, part):
                value, targets = _named(r, [item])
                step = r.builder.step("enter", item.start_byte, item.end_byte, value, targets)
                r.builder.open_block("with", item.start_byte, node.end_byte, step)
                opened += 1
        else:
            _body(r, part)
    for _ in range(opened):
        r.builder.close_block()


def _items(r: Reader, node: Node) -> list[Node]:
    """The grammar takes items in brackets for a tuple where a comma follows the last one."""
    items = [inner for item in r.parts(node) for inner in r.parts(item)]
    return r.parts(items[0]) if len(items) == 1 and items[0].kind_id == _TUPLE else items


def _match(r: Reader, node: Node) -> None:
    parts = r.parts(node)
    subjects = [part for part in parts if part.kind_id != BLOCK]
    end = subjects[-1].end_byte if subjects else node.start_byte
    step = r.builder.step("test", node.start_byte, end, several(r, subjects) if subjects else None)
    for part in parts[len(subjects) :]:
        for case in r.parts(part):
            if case.kind_id == _CASE:
                _case(r, case, step)


def _case(r: Reader, node: Node, opened_by: int) -> None:
    """A case starts with a test step for its pattern, whose targets are the names that it captures, and one for its guard."""
    parts = r.parts(node)
    patterns = [part for part in parts if part.kind_id not in (BLOCK, _GUARD)]
    r.builder.open_block("case", node.start_byte, node.end_byte, opened_by)
    if patterns:
        value, targets = pattern(r, patterns)
        r.builder.step("test", patterns[0].start_byte, patterns[-1].end_byte, value, targets)
    for part in parts[len(patterns) :]:
        if part.kind_id == BLOCK:
            _body(r, part)
        else:
            r.builder.step("test", part.start_byte, part.end_byte, several(r, r.parts(part)))
    r.builder.close_block()


def _decorated(r: Reader, node: Node) -> None:
    decorators: list[Expr] = []
    for part in r.parts(node):
        if part.kind_id == _DECORATOR:
            decorators.append(several(r, r.parts(part)))
        else:
            _define(r, part, tuple(decorators))


def _define(r: Reader, node: Node, decorators: tuple[Expr, ...] = ()) -> None:
    """A function or class; calls in its head belong to the `def` step that stands in its place."""
    name, body, is_async = node, None, False
    params: tuple[Param, ...] = ()
    bases: tuple[Arg, ...] = ()
    returns: Expr | None = None
    for part in r.clean(node.children):
        found = part.kind_id
        if found == _NAME:
            name = part
        elif found == _ASYNC:
            is_async = True
        elif found == _PARAMETERS:
            params = parameters(r, part)
        elif found == _BASES:
            bases = arguments(r, part)
        elif found == _TYPE:
            returns = annotation(r, part)
        elif found == _TYPE_PARAMETERS:
            expr(r, part)
        elif found == BLOCK:
            body = part
    start, end, b = node.start_byte, node.end_byte, r.builder
    step = b.step("def", start, end, function=len(b.functions))
    for one in (*decorators, *_defaults(params), *[base.value for base in bases], returns):
        b.aside(step, one)
    frame = b.open_function(r.name(name), "class" if node.type == "class_definition" else "function", start, end)
    frame.name_start, frame.name_end = name.start_byte, name.end_byte
    frame.params, frame.decorators, frame.bases, frame.returns, frame.is_async = params, decorators, bases, returns, is_async
    if body is not None:
        _body(r, body)
    b.close_function()


def _defaults(params: tuple[Param, ...]) -> list[Expr | None]:
    return [part for param in params for part in (param.annotation, param.default)]


_TABLE: dict[str, State] = {
    "if_statement": _if,
    "while_statement": _while,
    "for_statement": _for,
    "try_statement": _try,
    "with_statement": _with,
    "match_statement": _match,
    "function_definition": _define,
    "class_definition": _define,
    "decorated_definition": _decorated,
}
STATEMENTS: dict[int, State] = {**SIMPLE, **{kind(name): state for name, state in _TABLE.items()}}
