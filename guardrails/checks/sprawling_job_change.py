"""sprawling-job-change: one change edits many jobs that have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.change import Sprawl
from guardrails.finding import Finding
from guardrails.project import Project

RULE = "sprawling-job-change"
SHOWN = 6


def check(sprawl: Sprawl, project: Project) -> Iterator[Finding]:
    """Jobs of one file count as one: they are related."""
    if len(sprawl.jobs) <= project.option(RULE, "jobs"):
        return
    named = ", ".join(f"`{job}`" for job in sprawl.jobs[:SHOWN]) + (", ..." if len(sprawl.jobs) > SHOWN else "")
    message = (
        f"This change edits jobs in {len(sprawl.jobs)} files ({named}): if one of them fails in production, all are rolled back together."
    )
    yield finding(sprawl, RULE, message, "Split it: one change for each job, or for each reason.", subject="change")
