"""Repairs of Python source: which edits mend a finding, one module a kind of repair."""

from __future__ import annotations

from importlib import import_module

from guardrails.finding import Repair
from guardrails.fix.source import Edit, Source


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits of a repair in its file; None where the code is not written as the repair needs it."""
    found: list[Edit] | None = import_module(f"guardrails.fix.{repair.how}").edits(source, repair)
    return found or None
