"""A worker within the test: it runs what waits, with the real book and the real decisions about retries, in this thread."""

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa

from guardrails.runtime import body
from guardrails.runtime.declare import Job, registry
from guardrails.runtime.home import Home, home
from guardrails.runtime.logs.redact import Redactor
from guardrails.runtime.pool.frames import Frame, Task
from guardrails.runtime.store.jobs import Dead, Ending, Started
from guardrails.runtime.store.output import Output as Writer
from guardrails.runtime.store.reading import Reading, Seen
from guardrails.runtime.store.tables import ACTIVE
from guardrails.runtime.testing import faults, lent
from guardrails.runtime.testing.inline import here
from guardrails.runtime.testing.queued import in_order
from guardrails.runtime.work import run
from guardrails.runtime.work.effects import Effects
from guardrails.runtime.work.logbook import Logbook
from guardrails.runtime.work.run import Active, Conversation
from guardrails.runtime.work.thread import ThreadTalk, _Inner

_steps: dict[str, dict[tuple[int, str], str]] = {}  # by job: results (JSON) by generation and label


def drain(limit: int = 1000) -> list[Seen]:
    """Run everything that waits, and what that queues in turn, until nothing does; the jobs that ran, as they stand then.

    Delays and backoffs are skipped, everything else is real: retries by the job's policy, dead letters, events, logs, streams, steps that
    are not run again, hooks. Bodies run in this thread, so a fixture's connection can be theirs; a time limit is recorded, but a body that
    hangs cannot be stopped here. A job that no worker could run yet (a payload of a newer version) is left queued. Raises AssertionError
    after `limit` runs, UnknownJob for a queued job that is not declared, WrongState outside of `testing.isolated()`.
    """
    lent.insist()
    ran: dict[str, None] = {}
    given_back: set[str] = set()
    left = limit
    while waiting := [job for job in _waiting(home()) if job[0] not in given_back]:
        for job in waiting:
            if left == 0:
                raise AssertionError(f"After {limit} runs jobs still wait, such as {job[0]}: do they queue each other without end?")
            left -= 1
            ran[job[0]] = None
            if _attempt(home(), *job) == "queued":
                given_back.add(job[0])
    return [Reading(home().database).job(job) for job in ran]


def _waiting(at: Home) -> list[tuple[str, int, int]]:
    """Jobs that wait, and those whose worker died: (id, generation, attempt)."""
    table = at.database.tables.job
    query = sa.select(table.c.id, table.c.generation, table.c.attempt).where(table.c.status.in_(ACTIVE))
    with at.database.read() as connection:
        return [(row.id, row.generation, row.attempt) for row in connection.execute(query.order_by(*in_order(at.database)))]


def _attempt(at: Home, job: str, generation: int, attempt: int) -> str | None:
    """One run; the status that it was given, None where its worker died on order, or there was nothing to run."""
    started = at.jobs.start(job, generation, attempt, "testing")
    if isinstance(started, Dead):
        _alert(started.id, started.name, started.error)
    if not isinstance(started, Started):
        return None
    declared = registry.job(started.name)
    fault = faults.next_for(started.name)
    if fault is not None and fault.error is None and fault.when == "before":
        return None
    ending = _ending(at, declared, started, fault.error if fault else None)
    if fault is not None and fault.error is None:
        return None
    if not at.jobs.end(started, ending):
        return None
    if ending.status == "dead":
        _alert(started.id, started.name, str(ending.error))
    return ending.status


def _alert(job: str, name: str, error: str) -> None:
    for hook in registry.alert_hooks:
        hook(job, name, error)


def _ending(at: Home, job: Job[Any, Any], started: Started, error: BaseException | None) -> Ending:
    """Run the body in this thread while another one holds the worker's side of the conversation."""
    task = run.task_of(started, _finished(started))
    logbook = Logbook(Writer(at.database), started, Redactor(job.shape.sensitive(started.payload, started.version)))
    effects = Effects(at.jobs, Writer(at.database), partial(_step, started), logbook)
    talk, endings = _Talk(), []

    def hold() -> None:
        try:
            endings.append(Conversation(Active(started), job, talk, effects).hold())
        except Exception as fault:
            talk.kill()
            told = {"type": type(fault).__name__, "message": f"the worker failed: {type(fault).__name__}: {fault}"}
            endings.append(run.unfinished(started, job, ("AttemptFailed", told)))

    other = threading.Thread(target=hold, name="guardrails-testing", daemon=True)
    other.start()
    here(lambda: talk.work(task, job, error))
    other.join()
    effects.close()
    return endings[0]


class _Talk(ThreadTalk):
    """See `run.Talk`: the body's words come from the test's own thread."""

    def __init__(self) -> None:
        self._out: queue.Queue[Frame | None] = queue.Queue()
        self._in: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._over = threading.Event()

    def work(self, task: Task, job: Job[Any, Any], error: BaseException | None) -> None:
        """Run the body, or let it fail with an error that was ordered."""
        outcome = body.run(task, _Inner(self._out, self._in, self._over)) if error is None else body.failed(job, error)
        self._out.put(outcome)


def _step(started: Started, name: str, act: Callable[[], str | None]) -> str | None:
    """Run a step, and keep its result for later attempts: here is no engine that would."""
    result = act()
    if result is not None:
        _steps.setdefault(started.id, {})[started.generation, name] = result
    return result


def _finished(started: Started) -> dict[str, str]:
    kept = _steps.get(started.id, {})
    return {name: result for (generation, name), result in kept.items() if generation >= started.steps_from}


def forget() -> None:
    """Forget all steps."""
    _steps.clear()
