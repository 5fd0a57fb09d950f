"""An expression in place of another: `code`, in which `$` is what `needs` brings in."""

from __future__ import annotations

from guardrails.finding import Repair
from guardrails.fix.needed import filled
from guardrails.fix.source import Edit, Source


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits; None where no expression stands there."""
    made = filled(source, repair)
    if made is None or source.expression(repair.at) is None:
        return None
    given, more = made
    return [source.edit(repair.at.start, repair.at.end, given["code"]), *more]
