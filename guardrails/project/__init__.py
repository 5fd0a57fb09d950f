"""The whole project as one program: what its worker code does, and what leads to it."""

from __future__ import annotations

from guardrails.project.entry import Entry, Start
from guardrails.project.understanding import understand
from guardrails.project.whole import Project

__all__ = ["Entry", "Project", "Start", "understand"]
