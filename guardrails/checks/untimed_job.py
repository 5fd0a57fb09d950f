"""untimed-job: a job that may run for ever."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from guardrails.facts import NEVER, Absent, Job, Known, Unknown, Varies, finding, in_seconds, unsure
from guardrails.finding import Confidence, Finding, Related, Repair, Unsure
from guardrails.project import Project

RULE = "untimed-job"


def check(job: Job, project: Project) -> Iterator[Finding | Unsure]:
    """The effective value counts: after defaults, sentinels, inheritance and the worker's pool."""
    limit = job.timeout
    if job.is_trivial:
        return
    if isinstance(limit, Known) and limit.value == NEVER:
        here = msgspec.structs.replace(job, place=limit.at) if job.limit_is_own and limit.at.path == job.place.path else job
        elsewhere = (Related(limit.at, "its limit is switched off here"),) if here is job else ()
        hurts = "its time limit is switched off, so one hung call holds a worker until somebody kills it"
        yield _say(here, f"`{job.name}` may run for ever: {hurts}.", (*elsewhere, *job.limit_related), _repair(job, project))
    elif isinstance(limit, Absent) and limit.default == NEVER and job.is_hosted:
        nobody = f"this project has no {job.title} application that could set one"
        message = f"`{job.name}` may run for ever: it has no time limit of its own, and {nobody}."
        confidence: Confidence = "medium" if _siblings_are_limited(job, project) else "low"
        yield finding(job, RULE, message, job.limit_fix, subject=job.name, cause=job.cause, severity="warning", confidence=confidence,
                      repair=_repair(job, project))  # fmt: skip
    elif isinstance(limit, Absent) and limit.default == NEVER:
        looked = f" (looked on the job and in {', '.join(limit.looked_in)})" if limit.looked_in else ""
        message = f"`{job.name}` may run for ever: nobody gives it a time limit{looked}, and {job.title} has none by default."
        yield _say(job, message, job.limit_related, _repair(job, project), "low" if job.is_once else None)
    elif isinstance(limit, Varies) and any(one.value == NEVER for one in limit.values):
        message = f"`{job.name}` may run for ever in some of its deployments: they do not agree on its time limit, and one has none."
        places = tuple(Related(one.at, "no limit here" if one.value == NEVER else "a limit here") for one in limit.values)
        yield finding(job, RULE, message, job.limit_fix, subject=job.name, cause=job.cause, confidence="medium", related=places)
    elif isinstance(limit, Unknown) and limit.present == "maybe":
        yield unsure(job, RULE, f"`{job.name}` may have no time limit: {limit.why}.")


def _siblings_are_limited(job: Job, project: Project) -> bool:
    """Jobs of the library that stand beside it have a limit of their own: then it is not left to the host."""
    jobs = (one for one in project.jobs if one.place.path == job.place.path and one.framework == job.framework and one.limit_is_own)
    return any(isinstance(one.timeout, Known) and one.timeout.value != NEVER for one in jobs)


def _repair(job: Job, project: Project) -> Repair | None:
    """The limit that the project chose; without its choice, a guess that is not safe."""
    return in_seconds(job.repair, project.option(RULE, "limit"), safe=project.is_set(RULE, "limit"))


def _say(job: Job, message: str, related: tuple[Related, ...], repair: Repair | None, confidence: Confidence | None = None) -> Finding:
    return finding(
        job, RULE, message, job.limit_fix, subject=job.name, cause=job.cause, confidence=confidence, related=related, repair=repair
    )
