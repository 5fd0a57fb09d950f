"""untimed-call: a call in a job, or in work beside the flow, that may wait for ever."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import NEVER, Handler, Job, Known, Spawn, Unknown, finding, in_effect, in_seconds, never_ends, unsure
from guardrails.facts.waiting import Deadline, Wait
from guardrails.finding import Confidence, Finding, Related, Repair, Severity, Unsure
from guardrails.project import Entry, Project

RULE = "untimed-call"
_OTHERS = ("network", "mail", "llm", "git", "database")  # waits that no supervisor or loop of a thread is made of
_QUICK, _LONG = ("network", "mail"), ("subprocess", "result", "llm", "git")  # waits whose limit raises
_FAR = 8  # calls between such a thread and a wait: beyond, other things may decide whether it comes to that
_HOLDERS = {
    "subprocess": "a child that never ends",
    "lock": "a holder that never lets go",
    "queue": "a producer that is gone",
    "event": "whoever never sets it",
    "result": "work that never ends",
    "join": "work that never ends",
}  # by the kind of the wait: who makes it endless


def check(wait: Wait, project: Project) -> Iterator[Finding | Unsure]:
    """Only what a job or a long-lived thread reaches is judged, and only where nothing around it ends it."""
    limit = wait.limit
    unknown = isinstance(limit, Unknown) and limit.present == "maybe"
    endless = never_ends(limit)
    entry = _entry(wait, project) if endless or unknown else None
    if entry is None:
        return
    where = f"`{wait.call}` in {'job' if isinstance(entry.fact, Job) else 'background work'} `{entry.name}`"
    if isinstance(limit, Unknown):
        yield unsure(wait, RULE, f"{where} may have no time limit: {limit.why}.")
        return
    until = _until(entry.fact)
    why = (
        "its time limit is switched off" if isinstance(limit, Known) else f"it is given no time limit, and {wait.title} has none by default"
    )
    ends = "may wait for ever" if until == NEVER else "may wait until the job is stopped" + (f" after {until:g} s" if until else "")
    message = f"{where} {ends}: {why}, so {_HOLDERS.get(wait.kind, 'a peer that never answers')} holds the worker."
    related = (Related(entry.fact.place, "the job" if isinstance(entry.fact, Job) else "it is started here"), *entry.way, *wait.made)
    surely = not wait.inferred and isinstance(entry.fact, Job)
    severity: Severity | None = "info" if 0 < until <= project.option(RULE, "short") else None
    confidence: Confidence | None = "low" if wait.weak else None if surely else "medium"
    cause = wait.cause or f"{RULE}:{wait.framework}:{entry.fact.place.path}:{entry.fact.place.start}"
    yield finding(wait, RULE, message, wait.fix, cause=cause, severity=severity, confidence=confidence, related=related,
                  repair=_repair(wait, project))  # fmt: skip


def _entry(wait: Wait, project: Project) -> Entry | None:
    """The nearest job that reaches the call with no deadline on the way; else the nearest work that lives beside the flow."""
    if project.is_within(wait.place, Deadline):
        return None
    entries = project.jobs_above(wait.scope)
    if not entries and wait.kind in _OTHERS:
        entries = [one for one in project.spawns_above(wait.scope) if isinstance(one.fact, Spawn) and _is_background(one.fact, project)]
        entries = [one for one in entries if len(one.way) <= _FAR]
    return next((one for one in entries if not any(project.is_within(hop.place, Deadline) for hop in one.way)), None)


def _is_background(spawn: Spawn, project: Project) -> bool:
    """It is started by no request and no script, and whoever started it does not wait for it."""
    waited_for = bool(spawn.kept) and not spawn.kept.endswith("holds it")
    return not waited_for and spawn.scope.function > 0 and not project.handlers_above(spawn.scope)


def _repair(wait: Wait, project: Project) -> Repair | None:
    """A limit that raises when it is passed: safe where an answer is waited for; for work, only the project's own number is."""
    if wait.kind in _QUICK:
        return in_seconds(wait.repair, project.option(RULE, "limit"), safe=True)
    if wait.kind in _LONG:
        return in_seconds(wait.repair, project.option(RULE, "work"), safe=project.is_set(RULE, "work"))
    return None  # it would go on as if it had what it waited for


def _until(fact: Handler | Job | Spawn) -> float:
    """After how many seconds the job itself is stopped; 0 where it is stopped, and when cannot be told."""
    if isinstance(fact, Job) and isinstance(fact.timeout, Unknown) and fact.timeout.present == "yes":
        return 0.0
    seconds = in_effect(fact.timeout) if isinstance(fact, Job) else NEVER
    return float(seconds) if isinstance(seconds, int | float) else NEVER
