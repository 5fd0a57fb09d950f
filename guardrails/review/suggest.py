"""A repair as the lines that take the place of others, so that it can be made on the pull request with a click."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from guardrails.report.safe import visible_code
from guardrails.result import Found
from guardrails.review.hunks import Hunks
from guardrails.review.told import Suggestion

if TYPE_CHECKING:
    from guardrails.fix.source import Source

MOST_LINES = 20  # that are taken away, or put in their place
MOST_LETTERS = 4_000

Load = Callable[[str], bytes | None]  # the bytes of a file of the head


def suggestion(found: Found, load: Load, hunks: Hunks) -> Suggestion | None:
    """The repair of a finding; None where it has none, where no hunk holds it, or no comment could show it as it is."""
    repair = found.repair
    if repair is None or repair.at.path != found.spot.path or found.spot.path not in hunks:
        return None
    data = load(found.spot.path)
    changed = _changed(found, data) if data is not None else None
    if data is None or changed is None or b"\r" in data:  # GitHub keeps no line ends but its own in a comment
        return None
    try:
        made = replaced(data.decode(), changed.decode())
    except UnicodeDecodeError:
        return None
    if made is None:
        return None
    start, end, lines = made
    near = start <= found.spot.end_line + 1 and found.spot.line <= end + 1
    if not near or not hunks.hold(found.spot.path, start, end) or not _is_shown(data.decode(), start, end, lines):
        return None
    return Suggestion(start, end, lines, repair.safe)


def replaced(before: str, after: str) -> tuple[int, int, tuple[str, ...]] | None:
    """The first and last line (from 1) of `before` that have to go, and what comes in their place to make it `after`.

    An insertion takes a neighbouring line along. None where nothing changes, where it is much, or where a last line has no end.
    """
    if before == after or not before.endswith("\n") or not after.endswith("\n"):
        return None
    old, new = before[:-1].split("\n"), after[:-1].split("\n")
    least = min(len(old), len(new))
    start = _same(old, new, least)
    tail = _same(reversed(old), reversed(new), least - start)
    end, last = len(old) - tail, len(new) - tail
    first = start
    if start == end or first == last:  # a suggestion has lines on both sides
        lead = start > 0
        start, first, end, last = start - lead, first - lead, end + (not lead), last + (not lead)
    if max(end - start, last - first) > MOST_LINES:
        return None
    return start + 1, end, tuple(new[first:last])


def _same(one: Iterable[str], other: Iterable[str], most: int) -> int:
    """How many lines are equal before the first that differ, at most this many."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], islice(zip(one, other, strict=False), most)))


def _changed(found: Found, data: bytes) -> bytes | None:
    """The file with the repair made; None where it does not work out."""
    from guardrails import fix
    from guardrails.fix.source import UnfitError, apply
    from guardrails.read import language_of, read

    path = found.spot.path
    if found.repair is None or language_of(path) != "python":
        return None
    try:
        edits = fix.edits(_source(path, data), found.repair)
        changed = apply(data, edits) if edits else None
    except UnfitError:
        return None
    return changed if changed is None or len(read(path, changed).broken) <= len(read(path, data).broken) else None


@lru_cache(maxsize=1)
def _source(path: str, data: bytes) -> Source:
    """libcst takes a second for a thousand lines, and the findings of a file come one behind the other."""
    from guardrails.fix.source import Source

    return Source(path, data)


def _is_shown(before: str, start: int, end: int, lines: tuple[str, ...]) -> bool:
    """Whether a comment can hold these lines: few letters, and none that hides."""
    text = [*before.split("\n")[start - 1 : end], *lines]
    return sum(map(len, text)) <= MOST_LETTERS and all(visible_code(line) == line for line in text)
