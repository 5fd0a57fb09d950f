"""Where a file could not be read: the smallest regions that say so."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from tree_sitter import Node


def regions(found: dict[str, list[Node]], whole: Collection[int]) -> Iterator[tuple[int, int, str]]:
    """What errors and missing tokens leave unread. Statements of the kinds `whole` inside an error are read."""
    for node in found.get("missing", ()):
        yield node.start_byte, node.end_byte, f"{node.type} is missing" if not node.is_named else "something is missing"
    for node in found.get("error", ()):
        yield from _runs(node, whole)


def _runs(node: Node, whole: Collection[int]) -> Iterator[tuple[int, int, str]]:
    start, end = node.start_byte, -1
    for child in node.children:
        if child.kind_id not in whole:
            start, end = (child.start_byte if end < 0 else start), child.end_byte
        elif end >= 0:
            yield start, end, "its grammar is not understood"
            end = -1
    if end >= 0 or not node.child_count:
        yield start, max(end, node.end_byte if not node.child_count else end), "its grammar is not understood"
