"""The tokens of a Rust macro, cut into pieces, and pieces parsed again as what they most likely are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import tree_sitter_rust
from tree_sitter import Node

from guardrails.read.tree import COMMENTS, Reader, parser

_AGAIN = 12  # macros inside macros that are parsed again, each time from their start


def tokens(tree: Node) -> list[Node]:
    """What stands between the brackets of a token tree."""
    return [child for child in tree.children[1:-1] if child.type not in COMMENTS]


def split(nodes: Iterable[Node], separators: tuple[str, ...] = (",", ";")) -> Iterator[list[Node]]:
    """The tokens between commas; never an empty list."""
    piece: list[Node] = []
    for node in nodes:
        if node.type not in separators:
            piece.append(node)
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def parse(r: Reader, pieces: list[list[Node]], prefix: bytes, suffix: bytes) -> tuple[Node, int] | None:
    """Pieces of one macro as source, divided by commas: the statement they make in `prefix`...`suffix`, and the shift of its offsets.

    What stands between the pieces is blanked, so that all offsets remain those of the file but for one shift.
    """
    start, end = pieces[0][0].start_byte + r.shift, pieces[-1][-1].end_byte + r.shift
    if r.reparsed >= _AGAIN:
        return None
    text = bytearray(r.source[start:end])
    for before, after in pairwise(pieces):
        gap, gap_end = before[-1].end_byte + r.shift - start, after[0].start_byte + r.shift - start
        text[gap:gap_end] = b",".ljust(gap_end - gap)
    root = parser(tree_sitter_rust.language).parse(b"fn _(){" + prefix + bytes(text) + suffix + b"}").root_node
    function = root.child(0)
    block = function.child_by_field_name("body") if function is not None else None
    if root.has_error or root.child_count != 1 or block is None:
        return None
    return block, start - len(b"fn _(){" + prefix)
