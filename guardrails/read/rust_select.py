"""The arms of `select!`: `pattern = future, if guard => body`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tree_sitter import Node

from guardrails.read.rust_tokens import parse, tokens
from guardrails.read.tree import Reader


class Piece(NamedTuple):
    """A node of a piece that was parsed apart, and the shift of its offsets."""

    node: Node
    shift: int


class Arm(NamedTuple):
    """What of an arm could be read."""

    start: int
    end: int
    pattern: Piece | None
    future: Piece | None
    guard: Piece | None
    body: Piece | None


def is_select(r: Reader, node: Node) -> bool:
    """Whether the node is a call of a macro named `select`."""
    label = node.child_by_field_name("macro") if node.type == "macro_invocation" else None
    return label is not None and r.text(label).rpartition(":")[2] in ("select", "select_biased")


def arms(r: Reader, node: Node) -> Iterator[Arm]:
    """All arms that have an arrow."""
    tree = node.children[-1]
    rest = tokens(tree) if tree.type == "token_tree" else []
    while rest:
        arrow = next((i for i, token in enumerate(rest) if token.type == "=>"), None)
        if arrow is None or arrow + 1 >= len(rest):
            return
        head, rest = rest[:arrow], rest[arrow + 1 :]
        end = 1 if _is_block(rest[0]) else next((i for i, token in enumerate(rest) if token.type == ","), len(rest))
        if head and end:
            yield _arm(r, head, rest[:end])
        rest = rest[end + 1 :] if end < len(rest) and rest[end].type == "," else rest[end:]


def _is_block(token: Node) -> bool:
    return token.type == "token_tree" and token.children[0].type == "{"


def _arm(r: Reader, head: list[Node], tail: list[Node]) -> Arm:
    start = next((i + 1 for i, token in enumerate(head) if token.type == ";"), 0)  # `biased;` comes before the first one
    head = head[start:] or head
    comma = next((i for i in range(len(head) - 1) if head[i].type == "," and head[i + 1].type == "if"), len(head))
    let = _block(r, head[:comma], b"let ", b";") if any(token.type == "=" for token in head[:comma]) else None
    guard = _block(r, head[comma + 2 :], b"", b"")
    return Arm(
        head[0].start_byte + r.shift, tail[-1].end_byte + r.shift,
        _field(let, "pattern"), _field(let, "value"), _inside(guard), _block(r, tail, b"", b""),
    )  # fmt: skip


def _block(r: Reader, nodes: list[Node], prefix: bytes, suffix: bytes) -> Piece | None:
    found = parse(r, [nodes], prefix, suffix) if nodes else None
    return None if found is None else Piece(*found)


def _inside(piece: Piece | None) -> Piece | None:
    inner = None if piece is None else piece.node.named_child(0)
    return None if piece is None or inner is None else Piece(inner, piece.shift)


def _field(piece: Piece | None, name: str) -> Piece | None:
    statement = _inside(piece)
    child = None if statement is None else statement.node.child_by_field_name(name)
    return None if statement is None or child is None else Piece(child, statement.shift)
