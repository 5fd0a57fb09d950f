"""Jobs on a terminal: times as people say them, statuses in colours, columns that fit; nothing in the data acts on the terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from guardrails.report.ink import Ink
from guardrails.report.safe import visible, width, wrap

STYLES = {"done": "good", "dead": "error", "running": "info", "retrying": "warning", "cancelled": "quiet"}
_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def span(seconds: float) -> str:
    """A span of time: "0.3 s", "12 s", "5 min", "3 h", "12 d"."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def away(at: float, now: float) -> str:
    """A time as seen from now: "5 min ago", "in 20 s"."""
    return f"in {span(at - now)}" if at > now else f"{span(now - at)} ago"


def moment(at: float) -> str:
    """A time on the clock here."""
    return datetime.fromtimestamp(at).astimezone().isoformat(sep=" ", timespec="seconds")


def clock(at: float) -> str:
    """The time of day here, with milliseconds."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]


def compact(value: Any) -> str:
    """A JSON value on one line, harmless for a terminal."""
    return visible(json.dumps(value, ensure_ascii=False))


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """Each id cut short so that all differ, and two characters more."""
    size = 12
    while size < 28 and len({one[:size] for one in ids}) < len(set(ids)):
        size += 1
    return {one: one[: size + 2] for one in ids}


def cut(text: str, cells: int) -> str:
    """A visible text in at most so many cells."""
    if width(text) <= cells:
        return text
    while text and width(text) > cells - 1:
        text = text[:-1]
    return f"{text}…" if cells > 0 else ""


def folded(text: str, cells: int) -> Iterator[str]:
    """Prose in lines of at most so many cells; a word that is longer is parted."""
    for line in wrap(text, cells):
        rest = line
        while width(rest) > cells:
            part = rest[:cells]
            while width(part) > cells:
                part = part[:-1]
            yield part
            rest = rest[len(part) :]
        yield rest


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], ink: Ink, columns: int, paint: int = -1) -> Iterator[str]:
    """Lines in columns; the last column takes what is left, `paint` is the one with the statuses."""
    shown = [[visible(cell) for cell in row] for row in rows]
    sizes = [min(30, max(width(row[place]) for row in [list(heads), *shown])) for place in range(len(heads) - 1)]
    yield ink("  ".join([f"{head:{size}}" for head, size in zip(heads, sizes, strict=False)] + [heads[-1]]).rstrip(), "quiet")
    for row in shown:
        cells = [cut(cell, size) for cell, size in zip(row, sizes, strict=False)]
        padded = [cell + " " * (size - width(cell)) for cell, size in zip(cells, sizes, strict=False)]
        if paint >= 0:
            padded[paint] = ink(padded[paint], STYLES[row[paint]]) if row[paint] in STYLES else padded[paint]
        left = columns - sum(sizes) - 2 * len(sizes)
        yield "  ".join([*padded, cut(row[-1], max(left, 8))]).rstrip()


def fact(label: str, text: str, ink: Ink) -> str:
    """A line of a page about one thing."""
    return f"  {ink(f'{label:9}', 'quiet')} {text}"
