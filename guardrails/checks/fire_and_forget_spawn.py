"""fire-and-forget-spawn: work that dies with the web process that spawned it."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Handler, Spawn, finding
from guardrails.finding import Confidence, Finding, Related
from guardrails.project import Project

RULE = "fire-and-forget-spawn"
FIX = "Hand it to a job queue that keeps it (and answer with its id), or wait for it before the response."
_FAR = 6  # calls between a handler and a spawn: beyond, other things may decide whether it comes to that
_HOW = {
    "task": "in a task that nobody awaits",
    "thread": "in a thread that nobody joins",
    "process": "in a process that nobody waits for",
    "pool": "in a pool whose result nobody takes",
    "after-response": "after the response, in the web process",
    "promise": "in a promise that nobody awaits",
    "timer": "on a timer of the web process",
}


def check(spawn: Spawn, project: Project) -> Iterator[Finding]:
    """Speaks in a handler, or in what a handler reaches; `request_bound` spawns exist nowhere else."""
    if spawn.kept or spawn.light:
        return
    entries = project.handlers_above(spawn.scope)
    for entry in entries:
        handler = entry.fact
        if isinstance(handler, Handler) and not handler.streams:
            related = (Related(handler.place, f"the handler `{handler.name}`"), *entry.way)
            yield _say(spawn, f"handler `{handler.name}`", related, "low" if len(entry.way) > _FAR else None)
            return
    if spawn.request_bound and not entries:
        yield _say(spawn, spawn.scope.title, ())


def _say(spawn: Spawn, who: str, related: tuple[Related, ...], confidence: Confidence | None = None) -> Finding:
    work = f"`{spawn.runs}`" if spawn.runs else "work"
    how = _HOW.get(spawn.kind, "beside the request") + (f" (`{spawn.call}`)" if spawn.call else "")
    message = f"{who} starts {work} {how}: a restart or crash loses it, and its failure is seen by nobody."
    message = message[0].upper() + message[1:]
    return finding(spawn, RULE, message, FIX, subject=f"{spawn.call}:{spawn.runs}", confidence=confidence, related=related)
