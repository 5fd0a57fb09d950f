"""personal-data-in-log: what a job logs about a person stays where nobody looks when the person asks for its deletion."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.sharing import PersonalLog
from guardrails.finding import Finding, Related
from guardrails.project import Project

RULE = "personal-data-in-log"


def check(log: PersonalLog, project: Project) -> Iterator[Finding]:
    """Only what a job reaches is judged."""
    entries = project.jobs_above(log.scope)
    if entries:
        entry = entries[0]
        names = ", ".join(f"`{text}`" for text in log.values[:3])
        message = f"`{log.call}` in job `{entry.name}` writes {log.noun} ({names}) to the log, which is kept, copied and read by many."
        related = (Related(entry.fact.place, "the job"), *entry.way)
        yield finding(log, RULE, message, "Log the row's id instead.", subject=log.values[0], related=related)
