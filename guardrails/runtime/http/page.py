"""The templates of the page, and how it writes times and spans. Everything that is put in is escaped."""

import json
import math
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent / "templates"
_UNITS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def render(template: str, /, **values: Any) -> str:
    """A page."""
    return _environment().get_template(template).render(now=time.time(), **values)


@cache
def _environment() -> Environment:
    made = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(ago=ago, since=since, span=span, clock=clock, json=pretty, short=short)
    return made


def span(seconds: float) -> str:
    """A span of time for people: `340 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`."""
    if seconds < 1:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    for place, (size, unit) in enumerate(_UNITS):
        if seconds >= size:
            below, name = _UNITS[place + 1] if place + 1 < len(_UNITS) else (1.0, "s")
            rest = int(seconds % size // below)
            return f"{int(seconds // size)} {unit}" + (f" {rest} {name}" if rest else "")
    return f"{seconds:.0f} s"


def clock(at: float) -> str:
    """A time in UTC to the second."""
    return _utc(at).strftime("%Y-%m-%d %H:%M:%S UTC")


def ago(at: float | None) -> Markup:
    """How long ago, or in what time, as an element that a script keeps current."""
    if at is None:
        return Markup("")
    gap = time.time() - at
    told = "now" if abs(gap) < 1 else f"{_coarse(gap)} ago" if gap > 0 else f"in {_whole(math.ceil(-gap))}"
    return _element(at, "ago", told)


def since(at: float | None) -> Markup:
    """How long it has lasted, as an element that a script keeps current."""
    return Markup("") if at is None else _element(at, "since", _whole(max(0.0, time.time() - at)))


def _coarse(seconds: float) -> str:
    """A span in its largest unit."""
    return " ".join(_whole(seconds).split()[:2])


def _whole(seconds: float) -> str:
    """A span in whole seconds, so that what the script writes is the same."""
    return f"{int(seconds)} s" if seconds < 60 else span(int(seconds))


def pretty(value: Any) -> str:
    """A JSON value to read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def short(text: str, most: int = 160) -> str:
    """The last line that says something, as tracebacks end with the error."""
    line = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _element(at: float, kind: str, told: str) -> Markup:
    made = Markup('<time datetime="{}" data-{}="{}" title="{}">{}</time>')
    return made.format(_utc(at).isoformat(timespec="milliseconds"), kind, f"{at:.3f}", clock(at), told)


def _utc(at: float) -> datetime:
    try:
        return datetime.fromtimestamp(at, UTC)
    except (OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(0, UTC)
