"""The figures as a table, the asked-for ratios, and as JSON."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from typing import NamedTuple

from .measure import Figures


class Ratio(NamedTuple):
    """A promise about the ratio of one figure to another of the same run; without `least` it is only told."""

    what: str  # a field of Figures
    ours: str
    base: str
    least: float | None = None
    base_what: str = ""  # where it is another field


class Limit(NamedTuple):
    """A promise about a figure itself."""

    what: str
    ours: str
    most: float
    percentile: int = 50


SQLITE, POSTGRES, WIDE = "DBOS, SQLite", "DBOS, PostgreSQL", ", claims 100"
THREADS, PROCESSES = "ours in threads", "ours in processes"
RATIOS = [
    *(
        ratio
        for base, place in ((SQLITE, ", SQLite"), (POSTGRES, ", PostgreSQL"))
        for ratio in (
            Ratio("enqueue", THREADS + place, base, 0.7),
            Ratio("jobs", THREADS + place, base, 0.7),
            Ratio("jobs", THREADS + place, base + WIDE),
            Ratio("jobs", PROCESSES + place, base, 0.5),
            Ratio("jobs", PROCESSES + place, base + WIDE),
            Ratio("many", PROCESSES + place, PROCESSES + place, 2.0 if base == SQLITE else None, "enqueue"),
        )
    ),
    Ratio("jobs", PROCESSES + ", PostgreSQL", "Celery + Redis, acks_late", 0.5),
    Ratio("jobs", PROCESSES + ", PostgreSQL", "Procrastinate, rescue task", 0.5),
]
LIMITS = [
    limit
    for place in (", SQLite", ", PostgreSQL")
    for limit in (Limit("pickups", PROCESSES + place, 0.08), Limit("idle", PROCESSES + place, 0.05))
]
HEADER = ("", "enqueue/s", "many/s", "jobs/s", "pickup p50", "p95", "idle CPU", "missing", "held", "double")


def table(figures: dict[str, Figures]) -> str:
    """One row a system: medians of the rounds."""
    rows = [HEADER, *(_row(name, one) for name, one in figures.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)) for row in rows
    )


def _row(name: str, one: Figures) -> tuple[str, ...]:
    lost = one.losses
    return (
        name,
        _number(one.enqueue),
        _number(one.many),
        _number(one.jobs),
        _milliseconds(one.pickups, 50),
        _milliseconds(one.pickups, 95),
        f"{100 * statistics.median(one.idle):.1f} %" if one.idle else "-",
        f"{lost.missing} of {lost.submitted}" if lost else "-",
        str(lost.held) if lost else "-",
        str(lost.doubled) if lost else "-",
    )


def _number(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.0f}" if values else "-"


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that `percent` of 100 do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def _milliseconds(values: Sequence[float], percent: int) -> str:
    return f"{1000 * percentile(values, percent):.0f} ms" if values else "-"


def judged(figures: dict[str, Figures]) -> list[str]:
    """One line for each promise that this run can judge."""
    return [line for line in (*(_ratio(one, figures) for one in RATIOS), *(_limit(one, figures) for one in LIMITS)) if line]


def _ratio(wanted: Ratio, figures: dict[str, Figures]) -> str:
    if wanted.ours not in figures or wanted.base not in figures:
        return ""
    other = wanted.base_what or wanted.what
    pairs = zip(getattr(figures[wanted.ours], wanted.what), getattr(figures[wanted.base], other), strict=False)
    found = [ours / base for ours, base in pairs]
    if not found:
        return ""
    value = statistics.median(found)
    verdict = "" if wanted.least is None else f"  (wanted >= {wanted.least:g}: {'kept' if value >= wanted.least else 'MISSED'})"
    return f"{value:5.2f}  {wanted.what}/s of {wanted.ours} to {other}/s of {wanted.base}{verdict}"


def _limit(wanted: Limit, figures: dict[str, Figures]) -> str:
    values = getattr(figures[wanted.ours], wanted.what) if wanted.ours in figures else []
    if not values:
        return ""
    value = percentile(values, wanted.percentile)
    shown = f"{1000 * value:.0f} ms pickup p50" if wanted.what == "pickups" else f"{100 * value:.1f} % CPU of an idle worker"
    most = f"{1000 * wanted.most:.0f} ms" if wanted.what == "pickups" else f"{100 * wanted.most:.0f} %"
    return f"{shown}, {wanted.ours}  (wanted <= {most}: {'kept' if value <= wanted.most else 'MISSED'})"


def as_json(figures: dict[str, Figures]) -> str:
    """All single values."""
    return json.dumps({name: asdict(one) for name, one in figures.items()}, indent=2)
