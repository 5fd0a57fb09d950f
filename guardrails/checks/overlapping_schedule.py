"""overlapping-schedule: a periodic job that starts again while its last run is still going."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import NEVER, Absent, Job, Known, Unknown, Varies, finding, unsure
from guardrails.facts.flow import Tick
from guardrails.finding import Confidence, Finding, Related, Unsure
from guardrails.project import Project

RULE = "overlapping-schedule"
FIX = "Take a lock at the start of the job and leave when it is held, or let a late run expire before the next one."


def check(tick: Tick, project: Project) -> Iterator[Finding | Unsure]:
    """Speaks of jobs that do something to others, tick before their limit, and have nothing that keeps two runs apart.

    A limit that all jobs share says little of how long this one runs: of those that tick seldom it is told with low confidence.
    """
    job = project.job(tick.symbol)
    if job is None or (tick.every is None and not tick.together):
        return
    if tick.together:
        yield _say(tick, job, f"{tick.together}, so a slow run and the next one work on the same things")
    elif not tick.apart and tick.does and tick.every is not None:
        limit, often = _limit(job), project.option(RULE, "often")
        if limit is None:
            yield unsure(tick, RULE, f"`{tick.job}` may run longer than the time between its ticks: its time limit could not be told.")
        elif tick.every <= (often if limit == NEVER else limit):
            if tick.doubt:
                yield unsure(tick, RULE, f"`{tick.job}` may overlap with itself: {tick.doubt}.")
            else:
                yield _say(tick, job, _why(tick, limit), "low" if tick.every > often and not job.limit_is_own else None)


def _limit(job: Job) -> float | None:
    """The longest that a run may take, in seconds; None where it cannot be told."""
    setting = job.timeout
    if isinstance(setting, Unknown):
        return None
    values = [one.value for one in setting.values] if isinstance(setting, Varies) else [_value(setting)]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    return max(numbers) if numbers else None


def _value(setting: Known | Absent) -> object:
    return setting.value if isinstance(setting, Known) else setting.default


def _why(tick: Tick, limit: float) -> str:
    longest = "for ever" if limit == NEVER else f"as long as {_spoken(limit)}"
    twice = tick.does[0].message
    return f"it starts every {_spoken(tick.every or 0.0)} and may run {longest}, no lock or expiry keeps two runs apart, and {twice}"


def _spoken(seconds: float) -> str:
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return unit if count == 1 else f"{count} {unit}s"
    return f"{seconds:g} seconds"


def _say(tick: Tick, job: Job, why: str, confidence: Confidence | None = None) -> Finding:
    related = (Related(job.place, "the job"), *tick.does)
    message = f"Periodic job `{tick.job}` may overlap with itself: {why}."
    return finding(tick, RULE, message, FIX, subject=tick.job, confidence=confidence, related=related)
