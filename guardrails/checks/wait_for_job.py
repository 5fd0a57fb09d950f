"""wait-for-job: whoever waits for a job holds a place that the job may need."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Handler, finding, never_ends, unsure
from guardrails.facts.results import JobWait
from guardrails.finding import Finding, Related, Severity, Unsure
from guardrails.project import Entry, Project

RULE = "wait-for-job"
FIX = "Start what comes next from the job that is waited for: chain the two, or give it a callback."
FIX_HANDLER = "Answer with the job's id, and let the client ask for its status."


def check(wait: JobWait, project: Project) -> Iterator[Finding | Unsure]:
    """In a job it is a fault with or without a limit; in a handler only without one."""
    jobs = project.jobs_above(wait.scope)
    if jobs and wait.doubt:
        yield unsure(wait, RULE, f"job `{jobs[0].name}` may wait for another job in `{wait.call}`: {wait.doubt}.")
        return
    if jobs:
        yield _in_job(wait, jobs[0])
        return
    for entry in project.handlers_above(wait.scope):
        if isinstance(entry.fact, Handler) and not entry.fact.streams and not wait.doubt:
            yield _in_handler(wait, entry)
            return


def _in_job(wait: JobWait, entry: Entry) -> Finding:
    hurts = "when every worker is busy waiting, none is left to run what they wait for"
    if not never_ends(wait.limit):
        hurts = "until then it holds a worker that the other job may need"
    message = f"Job `{entry.name}` {wait.how}: {hurts}."
    severity: Severity | None = None if never_ends(wait.limit) else "warning"
    return finding(wait, RULE, message, wait.fix or FIX, severity=severity, related=_places(entry, "the job that waits"))


def _in_handler(wait: JobWait, entry: Entry) -> Finding:
    places = _places(entry, "the handler that waits")
    if never_ends(wait.limit):
        message = f"Handler `{entry.name}` {wait.how} without a limit: with no free worker the request hangs for ever."
        return finding(wait, RULE, message, FIX_HANDLER, related=places)
    message = f"Handler `{entry.name}` {wait.how}: behind a full queue the request takes as long as its limit."
    return finding(wait, RULE, message, FIX_HANDLER, severity="info", related=places)


def _places(entry: Entry, words: str) -> tuple[Related, ...]:
    return (Related(entry.fact.place, words), *entry.way)
