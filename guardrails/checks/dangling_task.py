"""dangling-task: work that nobody holds or waits for, so that it may vanish and its failure is seen by nobody."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Handler, Spawn, finding
from guardrails.files import is_aside
from guardrails.finding import Confidence, Finding, Related, Repair
from guardrails.project import Project

RULE = "dangling-task"
FIX = "Keep it where it lives as long as it must (a set, an attribute), with a done-callback that reports its failure, or await it."


def check(spawn: Spawn, project: Project) -> Iterator[Finding]:
    """Speaks outside of handlers, where fire-and-forget-spawn does: of tasks and pool results, and of what a job leaves running."""
    if spawn.kept or spawn.request_bound or spawn.streamed or spawn.language != "python" or (spawn.light and not spawn.lasting):
        return
    if any(not spawn.lasting or _streams(entry.fact) for entry in project.handlers_above(spawn.scope)):
        return
    if spawn.kind == "task" and not spawn.watched and not spawn.supervised:
        yield _say(spawn, _of_task(spawn), ())
    elif spawn.kind == "pool" and not spawn.watched and not spawn.careful and not spawn.light:
        yield _say(spawn, "nobody takes its result, so an exception in it is never seen", ())
    elif spawn.kind in ("thread", "process") and not spawn.light:
        entry = next(iter(project.jobs_above(spawn.scope)), None)
        if entry is not None:
            left = f"job `{entry.name}` does not wait for it, so the job counts as done while this may still fail or be cut off"
            yield _say(spawn, left, (Related(entry.fact.place, "the job"), *entry.way))


def _streams(fact: object) -> bool:
    return isinstance(fact, Handler) and fact.streams


def _of_task(spawn: Spawn) -> str:
    ends = "vanish unseen, and with it all that its loop does" if spawn.lasting else "vanish half-way, and its failure is seen by nobody"
    return f"nobody keeps it, and the event loop holds tasks only weakly, so it may {ends}"


def _repair(spawn: Spawn) -> Repair | None:
    """A task can be kept until it is done; what a pool or a thread is started for, only a person knows."""
    return Repair("kept", spawn.place, safe=True) if spawn.kind == "task" else None


def _say(spawn: Spawn, why: str, related: tuple[Related, ...]) -> Finding:
    work = f"`{spawn.runs}`" if spawn.runs else "Work"
    message = f"{work} is started by `{spawn.call}` in {spawn.scope.title} and left alone: {why}."
    aside: Confidence | None = "low" if is_aside(spawn.place.path) else None
    return finding(spawn, RULE, message, FIX, subject=f"{spawn.call}:{spawn.runs}", confidence=aside, related=related,
                   repair=_repair(spawn))  # fmt: skip
