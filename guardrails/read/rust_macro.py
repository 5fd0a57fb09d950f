"""Calls of Rust macros, lowered as far as their tokens look like expressions; what does not is passed by, never an error."""

from __future__ import annotations

import re
from typing import NamedTuple

from tree_sitter import Node

from guardrails.outline import Arg, Call, Closure, Expr, Group, Literal_, Other, Pair, Ref, Text
from guardrails.read.rust_pattern import path
from guardrails.read.rust_tokens import parse, split, tokens
from guardrails.read.tree import Reader, parts

_NO_FORMATS = frozenset({"json", "vec", "query", "query_as", "query_scalar", "concat", "include_str", "env", "matches"})
_CAPTURE = re.compile(rb"\{\{|(?<!\\u)\{([A-Za-z_]\w*)(?::[^{}]*)?\}")
_PATH = frozenset({"identifier", "self", "super", "crate", "primitive_type", "::", "."})
_SIGILS = ("%", "?")


class _Piece(NamedTuple):
    """One argument: its name where it has one (`user = %id`), its tokens without sigils."""

    name: str
    nodes: list[Node]


def call(r: Reader, node: Node) -> Expr:
    """`m!(...)` as a call; statements in braces are one argument, a block."""
    label, tree = node.child_by_field_name("macro") or node, node.children[-1]
    func = Ref(label.start_byte + r.shift, label.end_byte + r.shift, path(r, label))
    args: tuple[Arg, ...] = ()
    if tree.type == "token_tree":
        args = _statements(r, tree) or arguments(r, tree, func.name.rpartition(".")[2] not in _NO_FORMATS)
    return Call(node.start_byte + r.shift, node.end_byte + r.shift, func, args, macro=True)


def _statements(r: Reader, tree: Node) -> tuple[Arg, ...]:
    inside = tokens(tree)
    if tree.children[0].type != "{" or all(token.type != ";" for token in inside):
        return ()
    found = parse(r, [inside], b"", b"")
    if found is None:
        return ()
    block, shift = found
    start, end = tree.start_byte + r.shift, tree.end_byte + r.shift
    frame = r.open(tree, "block", "<block>", None)
    with r.shifted(shift):
        for statement in parts(block):
            r.statement(statement)
    r.builder.close_function()
    return (Arg(Closure(start, end, frame.index)),)


def arguments(r: Reader, tree: Node, formats: bool = False) -> tuple[Arg, ...]:
    """The arguments in a token tree, each lowered on its own; `formats`: strings capture variables."""
    pieces = [_piece(r, nodes) for nodes in split(tokens(tree))]
    values: list[Expr | None] = []
    for piece in pieces:  # no comprehension: each is a Python frame more on the way down
        values.append(_direct(r, piece.nodes, formats))  # noqa: PERF401
    hard = [piece.nodes for piece, value in zip(pieces, values, strict=True) if value is None]
    parsed = iter(_parsed(r, hard)) if hard else iter(())
    return tuple([Arg(next(parsed) if value is None else value, piece.name) for piece, value in zip(pieces, values, strict=True)])


def _piece(r: Reader, nodes: list[Node]) -> _Piece:
    """`name = %value`: its name, and the value without its sigil."""
    equals = next((i for i, token in enumerate(nodes[:8]) if token.type == "="), 0)
    name = "".join(r.text(token) for token in nodes[:equals]) if all(one.type in _PATH for one in nodes[:equals]) else ""
    rest = nodes[equals + 1 :] if name else nodes
    if len(rest) > 1 and rest[0].type in _SIGILS:
        rest = rest[1:]
    return _Piece(name, rest) if rest else _Piece("", nodes)


def _direct(r: Reader, nodes: list[Node], formats: bool) -> Expr | None:
    """What needs no second parse: a literal, a path, a list or mapping, a macro; None for all else."""
    last = nodes[-1]
    if len(nodes) == 1:
        if last.type == "token_tree":
            return _tree(r, last)
        if last.type == "string_literal" and formats:
            return _captures(r, last)
        return r.expr(last) if last.is_named else _word(r, nodes)
    if all(one.type in _PATH for one in nodes):
        return _word(r, nodes)
    if last.type == "token_tree" and nodes[-2].type == "!" and all(one.type in _PATH for one in nodes[:-2]) and len(nodes) > 2:
        start, end = nodes[0].start_byte + r.shift, last.end_byte + r.shift
        name = _word(r, nodes[:-2])
        return Call(start, end, name, _nested(r, last, name.name.rpartition(".")[2] not in _NO_FORMATS), macro=True)
    return None


def _word(r: Reader, nodes: list[Node]) -> Ref:
    name = "".join(r.text(one) for one in nodes).replace("::", ".").lstrip(".")
    return Ref(nodes[0].start_byte + r.shift, nodes[-1].end_byte + r.shift, name)


def _nested(r: Reader, tree: Node, formats: bool = False) -> tuple[Arg, ...]:
    if r.is_too_deep(tree):
        return ()
    r.depth += 1
    args = arguments(r, tree, formats)
    r.depth -= 1
    return args


def _tree(r: Reader, tree: Node) -> Expr | None:
    """`[a, b]` and `{ "k": v }`, as `json!` writes them; they may hold what no Rust expression does."""
    opening, start, end = tree.children[0].type, tree.start_byte + r.shift, tree.end_byte + r.shift
    if opening == "[" and all(token.type != ";" for token in tree.children):
        return Group(start, end, "list", tuple([arg.value for arg in _nested(r, tree)]))
    pieces = list(split(tokens(tree), (",",))) if opening == "{" else []
    if not pieces or any(len(piece) < 3 or piece[1].type != ":" for piece in pieces):
        return Group(start, end, "dict", ()) if opening == "{" and not tokens(tree) else None
    if r.is_too_deep(tree):
        return None
    r.depth += 1
    values = [_direct(r, piece[2:], False) for piece in pieces]
    hard = [piece[2:] for piece, value in zip(pieces, values, strict=True) if value is None]
    parsed = iter(_parsed(r, hard)) if hard else iter(())
    pairs = [_pair(r, piece, next(parsed) if value is None else value) for piece, value in zip(pieces, values, strict=True)]
    r.depth -= 1
    return Group(start, end, "dict", tuple(pairs))


def _pair(r: Reader, piece: list[Node], value: Expr) -> Pair:
    return Pair(piece[0].start_byte + r.shift, value.end, r.expr(piece[0]), value)


def _parsed(r: Reader, pieces: list[list[Node]]) -> list[Expr]:
    """Pieces as the arguments of one call; where that is no Rust, each on its own."""
    found = parse(r, pieces, b"_(", b")")
    if found is not None:
        block, shift = found
        statement = block.named_child(0)
        inside = [] if statement is None else parts(statement.children[-1])
        if len(inside) == len(pieces):
            with r.shifted(shift):
                return [r.expr(one) for one in inside]
    if len(pieces) > 1:
        return [value for piece in pieces for value in _parsed(r, [piece])]
    return [_loose(r, pieces[0])]


def _loose(r: Reader, nodes: list[Node]) -> Expr:
    """Tokens that are no expression: names, literals, and `name(...)` as a call."""
    inside: list[Expr] = []
    run: list[Node] = []
    for node in nodes:
        if node.type in _PATH:
            run.append(node)
            continue
        if node.type == "token_tree":
            inside.append(_applied(r, run, node))
        else:
            inside.extend([_word(r, run)] if run else [])
            inside.extend([r.expr(node)] if node.type.endswith("_literal") else [])
        run = []
    inside.extend([_word(r, run)] if run else [])
    return Other(nodes[0].start_byte + r.shift, nodes[-1].end_byte + r.shift, "tokens", tuple(inside))


def _applied(r: Reader, run: list[Node], tree: Node) -> Expr:
    start, end = tree.start_byte + r.shift, tree.end_byte + r.shift
    args = _nested(r, tree)
    if run and tree.children[0].type == "(":
        name = _word(r, run)
        return Call(name.start, end, name, args)
    return Other(start, end, "tokens", (*([_word(r, run)] if run else []), *[arg.value for arg in args]))


def _captures(r: Reader, node: Node) -> Expr:
    """A format string: `{name}` and `{name:?}` in it are names."""
    whole = r.expr(node)
    start, end = whole.start, whole.end
    raw = r.source[start:end]
    inside: list[Expr] = []
    last = start + 1
    for found in _CAPTURE.finditer(raw):
        if found[1] is not None:
            inside.extend(_literal(r, last, start + found.start()))
            inside.append(Ref(start + found.start(1), start + found.end(1), found[1].decode("utf-8", "replace")))
            last = start + found.end()
    return Text(start, end, (*inside, *_literal(r, last, end - 1))) if inside else whole


def _literal(r: Reader, start: int, end: int) -> list[Expr]:
    text = r.source[start:end].decode("utf-8", "replace")
    return [Literal_(start, end, "string", text)] if text else []
