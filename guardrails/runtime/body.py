"""One run of a job's body, from the queued payload to a frame that tells how it ended; the same in a child process and in a thread."""

import asyncio
import inspect
import math
import time
import traceback
from typing import Any

from guardrails.runtime import context, logs
from guardrails.runtime.declare import Job, registry, result_text
from guardrails.runtime.errors import Transient
from guardrails.runtime.payload import PayloadUnreadable
from guardrails.runtime.plain import plain, said
from guardrails.runtime.pool.frames import Failed, Finished, Learn, Line, Task

LONGEST_ERROR = 4_000
LONGEST_TRACEBACK = 32_000


def run(task: Task, link: context.Link, *, alone: bool = False) -> Finished | Failed:
    """Run a task to its end; whatever the body raises becomes a Failed frame, SystemExit included.

    `alone`: nothing else runs in this process, so what any of its threads logs is the job's.
    """
    job = registry.job(task.name)
    running = context.Running(task.job, task.name, task.key, task.queue, task.attempt, task.run)
    body = context.Body(running, link, time.monotonic() + job.timeout, dict(task.finished))
    with (
        context.running(body),
        logs.capture(running, lambda level, message, fields, at: link.send(Line(level, message, fields, at)), everywhere=alone),
    ):
        try:
            return Finished(result=_call(job, task, link))
        except BaseException as error:
            return failed(job, error)


def _call(job: Job[Any, Any], task: Task, link: context.Link) -> str:
    sensitive = job.shape.sensitive(task.payload, task.version)
    logs.redactor().learn(*sensitive, names=job.shape.sensitive_names)
    if task.version != job.shape.version:  # the worker itself runs no upcaster, which is the application's code and may never return
        for value in sensitive:
            link.send(Learn(value=value))
    payload = job.shape.load(task.payload, task.version)
    outcome = asyncio.run(_awaited(job.body(payload))) if inspect.iscoroutinefunction(job.body) else job.body(payload)
    return result_text(job.name, outcome)


async def _awaited(coroutine: Any) -> Any:
    return await coroutine


def failed(job: Job[Any, Any], error: BaseException) -> Failed:
    """How an error ends a run: its type, words and traceback (redacted), and whether the job may be tried again."""
    redact = logs.redactor().text
    told = "".join(traceback.format_exception(error))
    return Failed(
        type=plain(type(error).__name__),
        message=redact(said(error))[:LONGEST_ERROR],
        traceback=redact(plain(told))[-LONGEST_TRACEBACK:],
        verdict="terminal" if isinstance(error, PayloadUnreadable) else job.retry.verdict(error),
        after=_after(error),
    )


def _after(error: BaseException) -> float | None:
    """The seconds that a body asks to wait, where they are usable."""
    after = error.after if isinstance(error, Transient) else None
    return after if isinstance(after, int | float) and 0 <= after < math.inf else None
