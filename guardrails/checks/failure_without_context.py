"""failure-without-context: a log line of a failed job from which nobody can tell which work failed, or why."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.failure import FailureLog
from guardrails.finding import Finding, Unsure

RULE = "failure-without-context"
FIX = 'Log what identifies the work (job id, message id, its arguments) and the traceback: `logger.exception("... %s", order_id)`.'


def check(log: FailureLog) -> Iterator[Finding | Unsure]:
    """Silent where a value besides the exception is written, or something adds the id; and where there is nothing to name."""
    if log.names_work or log.bound or (log.keeps_error and not log.has_work):
        return
    if log.hidden:
        yield unsure(log, RULE, f"`{log.call}` gets arguments that were not read; they may name the work")
        return
    who = f"The worker loop `{log.worker}`" if log.is_loop else f"Job `{log.worker}`"
    lacks = "which work failed" if log.keeps_error else "which work failed nor why" if log.has_work else "why it failed"
    neither = "neither " if lacks.endswith("nor why") else "not "
    message = f"{who} logs a failure with `{log.call}` and says {neither}{lacks}, so the line cannot be matched to a job or a message."
    if not log.has_work:
        message = f"{who} logs a failure with `{log.call}` and drops the exception, so the log says that it failed and never why."
    yield finding(log, RULE, message, FIX)
