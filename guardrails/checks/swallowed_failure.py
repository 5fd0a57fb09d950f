"""swallowed-failure: a job that fails and is counted as done."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Handler, finding, unsure
from guardrails.facts.failure import Rescue
from guardrails.finding import Confidence, Finding, Related, Unsure
from guardrails.project import Project

RULE = "swallowed-failure"
FIX = "Log it and `raise` (or retry, or store a failed status before you return), and catch by name what may be ignored."
_DOES = {"nothing": "drops it", "logs": "only logs it", "tracks": "only tells the error tracker", "answers": "puts it into the result"}


def check(rescue: Rescue, project: Project) -> Iterator[Finding | Unsure]:
    """Speaks where the work itself is in the try; of rounds, of results, and where raising brings nothing, with low confidence."""
    if rescue.outcome == "unread" and rescue.main and rescue.breadth != "narrow" and not rescue.looped and rescue.started is None:
        yield unsure(rescue, RULE, f"job `{rescue.worker}` leaves its failure to a function that was not read")
    if rescue.breadth == "narrow" or rescue.outcome not in _DOES or rescue.light or not (rescue.main or rescue.looped):
        return
    handler = _answered(rescue, project)
    if rescue.started is not None and handler is None:
        return
    harmless = rescue.looped or rescue.meant or rescue.skips or (rescue.forgotten and rescue.outcome == "logs")
    sure: Confidence | None = None if rescue.outcome in ("nothing", "logs") and not harmless else "low"
    work = f" around `{rescue.around}`" if rescue.around else ""
    if handler is None:
        who, end = f"job `{rescue.worker}`", "so the queue counts the job as done: nobody retries it, and no list of failed jobs shows it"
    else:
        who, end = f"`{rescue.worker}`", f"while webhook `{handler.name}` has acknowledged the event: its sender does not send it again"
    message = f"{who} catches {rescue.caught}{work} and {_DOES[rescue.outcome]}, {end}."
    related = rescue.way if handler is None else (Related(handler.place, f"the webhook `{handler.name}`"), *rescue.way)
    yield finding(rescue, RULE, message[0].upper() + message[1:], FIX, confidence=sure or ("medium" if handler else None), related=related)


def _answered(rescue: Rescue, project: Project) -> Handler | None:
    """The webhook that started the work and does not wait for it."""
    entries = project.handlers_above(rescue.started) if rescue.started is not None else []
    return next((one.fact for one in entries if isinstance(one.fact, Handler) and one.fact.webhook), None)
