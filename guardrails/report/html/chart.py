"""The map as a drawing: who starts work on the left, the work on the right, in columns by how many hand-overs lie between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from guardrails.inventory import Handler, Inventory, Job, Node, Schedule, Spawn
from guardrails.report.safe import visible, width
from guardrails.report.snippet import where

MOST = 90  # boxes; a drawing of more is read by nobody
DEEPEST = 5  # columns
WIDE, TALL, GAP, BETWEEN = 216, 40, 12, 110  # a box, the gap below it, the room between columns
STEP = TALL + GAP
LETTERS = 27
ROUNDS = 6  # of sorting boxes by their neighbours


class Box(msgspec.Struct, frozen=True):
    """A node: its upper left corner, its words, and the numbers of its edges."""

    id: str
    kind: str
    x: int
    y: int
    name: str
    below: str
    title: str
    edges: str


class Line(msgspec.Struct, frozen=True):
    """An edge: the path of its curve."""

    number: int
    kind: str
    path: str
    title: str


class Chart(msgspec.Struct, frozen=True):
    """The drawing; `left_out` boxes found no room."""

    width: int
    height: int
    boxes: Sequence[Box]
    lines: Sequence[Line]
    left_out: int
    kinds: Sequence[str]
    box_width: int = WIDE
    box_height: int = TALL


Pair = tuple[str, str]


def chart(inventory: Inventory) -> Chart | None:
    """The drawing of all that is joined by an edge, None where nothing is."""
    links = {(edge.source, edge.target): edge.kind for edge in inventory.edges}
    degree: dict[str, int] = {}
    for pair in links:
        for end in pair:
            degree[end] = degree.get(end, 0) + 1
    nodes: dict[str, Node] = {node.id: node for node in inventory.nodes() if node.id in degree}
    chosen = _chosen(nodes, degree)
    pairs = [pair for pair in links if chosen.issuperset(pair)]
    joined = {end for pair in pairs for end in pair}
    kept = [key for key in nodes if key in joined]
    if not kept:
        return None
    columns = _sorted(_columns(kept, pairs), _near(pairs))
    return _drawn(columns, _corners(columns, _near(pairs)), nodes, links, pairs, len(degree) - len(kept))


def _chosen(nodes: Mapping[str, Node], degree: Mapping[str, int]) -> set[str]:
    """The nodes with the most edges, as many as are drawn."""
    order = {key: number for number, key in enumerate(nodes)}
    return set(sorted(nodes, key=lambda key: (-degree[key], order[key]))[:MOST])


def _columns(ids: Sequence[str], pairs: Iterable[Pair]) -> list[list[str]]:
    """Each node one column behind the nearest of those that start it; what only starts itself in a circle stands first."""
    starters: dict[str, set[str]] = {key: set() for key in ids}
    for source, target in pairs:
        if source != target:
            starters[target].add(source)
    level = dict.fromkeys((key for key in ids if not starters[key]), 0) or {ids[0]: 0}
    while rest := [key for key in ids if key not in level]:
        nearest = {key: min((level[one] for one in starters[key] if one in level), default=-1) for key in rest}
        reached = {key: 1 + before for key, before in nearest.items() if before >= 0}
        level |= reached or {rest[0]: 0}
    last = min(max(level.values()), DEEPEST - 1)
    return [[key for key in ids if min(level[key], last) == column] for column in range(last + 1)]


def _near(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """What each node is joined with."""
    near: dict[str, list[str]] = {}
    for source, target in pairs:
        near.setdefault(source, []).append(target)
        near.setdefault(target, []).append(source)
    return near


def _sorted(columns: list[list[str]], near: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Boxes near those that they are joined with, so that few lines cross."""
    for turn in range(ROUNDS):
        places = {key: row / max(len(ids), 1) for ids in columns for row, key in enumerate(ids)}
        for ids in columns if turn % 2 else reversed(columns):
            ids.sort(key=lambda key: sum(places[one] for one in near[key]) / len(near[key]))
            places |= {key: row / max(len(ids), 1) for row, key in enumerate(ids)}
    return columns


def _corners(columns: Sequence[Sequence[str]], near: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, int]]:
    """The tallest column is filled evenly; the others stand beside it as level with their neighbours as there is room."""
    tallest = max(map(len, columns))
    tops: dict[str, int] = {}
    for number in sorted(range(len(columns)), key=lambda number: (-len(columns[number]), number)):
        ids = columns[number]
        wanted = [_level([tops[one] for one in near[key] if one in tops], row * STEP) for row, key in enumerate(ids)]
        tops |= zip(ids, _spread(wanted, (tallest - 1) * STEP), strict=True)
    return {key: (column * (WIDE + BETWEEN) + 1, GAP + tops[key]) for column, ids in enumerate(columns) for key in ids}


def _level(tops: Sequence[int], otherwise: int) -> int:
    return sum(tops) // len(tops) if tops else otherwise


def _spread(wanted: Sequence[int], last: int) -> list[int]:
    """The wanted heights in their order, moved apart so far that no box covers another, and back above the lower edge."""
    placed: list[int] = []
    for top in wanted:
        placed.append(max(top, placed[-1] + STEP) if placed else top)
    for row in reversed(range(len(placed))):
        placed[row] = min(placed[row], last - (len(placed) - 1 - row) * STEP)
    return placed


def _drawn(
    columns: Sequence[Sequence[str]], corners: Mapping[str, tuple[int, int]], nodes: Mapping[str, Node], links: Mapping[Pair, str],
    pairs: Sequence[Pair], left_out: int,
) -> Chart:  # fmt: skip
    numbers = {pair: number for number, pair in enumerate(pairs)}
    boxes = tuple(_box(nodes[key], corners[key], [numbers[pair] for pair in pairs if key in pair]) for ids in columns for key in ids)
    lines = tuple(_line(numbers[pair], links[pair], corners, pair, nodes) for pair in pairs)
    kinds = tuple(dict.fromkeys(box.kind for box in boxes))
    height = max(map(len, columns)) * STEP + GAP
    around = BETWEEN // 2 if any(corners[source][0] >= corners[target][0] for source, target in pairs) else 0
    return Chart(len(columns) * (WIDE + BETWEEN) - BETWEEN + around + 2, height, boxes, lines, left_out, kinds)


def _box(node: Node, corner: tuple[int, int], edges: Iterable[int]) -> Box:
    title = f"{node.role} {visible(node.name)}, {where(node.at)}"
    return Box(node.id, node.role, *corner, _cut(node.name), _cut(_below(node), 29), title, " ".join(map(str, edges)))


def _below(node: Node) -> str:
    """The small line under a name."""
    match node:
        case Job(queue=queue) if queue.source not in ("none", "unknown"):
            return f"queue {queue.words}"
        case Handler(route=route, methods=methods):
            return " ".join([*methods, route]).strip() or "handler"
        case Schedule(when=when):
            return when or "schedule"
        case Spawn(kind=kind):
            return kind
    return node.framework_name or node.at.path


def _cut(text: str, letters: int = LETTERS) -> str:
    shown = visible(text[: 2 * letters])
    while width(shown) > letters:
        shown = f"{shown[:-2]}…"
    return shown


def _line(number: int, kind: str, corners: Mapping[str, tuple[int, int]], pair: Pair, nodes: Mapping[str, Node]) -> Line:
    (x1, y1), (x2, y2) = corners[pair[0]], corners[pair[1]]
    y1, y2, out = y1 + TALL // 2, y2 + TALL // 2, BETWEEN // 2
    if x2 > x1:
        path = f"M{x1 + WIDE} {y1}C{x1 + WIDE + out} {y1} {x2 - out} {y2} {x2 - 5} {y2}"
    else:  # back, or within a column: around the right side
        apart = 24 if pair[0] == pair[1] else 8
        path = f"M{x1 + WIDE} {y1}C{x1 + WIDE + out} {y1 - apart} {x2 + WIDE + out} {y2 + apart} {x2 + WIDE + 5} {y2}"
    return Line(number, kind, path, f"{visible(nodes[pair[0]].name)} {kind} {visible(nodes[pair[1]].name)}")
