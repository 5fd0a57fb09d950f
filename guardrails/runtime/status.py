"""A job's state, and what an application may do to it from outside: `runtime.state(handle.id).status`, `runtime.cancel(handle.id)`."""

from dataclasses import dataclass
from typing import Any

from guardrails.runtime.errors import UnknownJob
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading
from guardrails.runtime.store.tables import ENDED


@dataclass(frozen=True, slots=True)
class State:
    """A job as it stands, without its payload.

    `status` is queued, running, retrying, done, dead or cancelled. `runs` of `attempts` were used up. `result` is what the body of a done
    job returned, `error` the last failure's sentence, `progress` the last {"done", "total", "note"}. Times are epoch seconds.
    """

    id: str
    name: str
    key: str
    queue: str
    status: str
    runs: int
    attempts: int
    error: str | None
    result: Any
    progress: dict[str, Any] | None
    created: float
    started: float | None
    finished: float | None

    @property
    def ended(self) -> bool:
        """Whether it is done, dead or cancelled; a requeue changes the last two."""
        return self.status in ENDED


def state(job: str) -> State:
    """The state of the job with this id, read from the database; in async code `await asyncio.to_thread(runtime.state, id)`.

    Raises UnknownJob, also for a job that retention has removed, and DatabaseRefused.
    """
    seen = Reading(home().database).job(job)
    if seen.id != job:
        raise UnknownJob(f"There is no job {job!r}: give the whole id, as a handle has it.")
    return State(**{name: getattr(seen, name) for name in State.__dataclass_fields__})


def cancel(job: str) -> str:
    """Cancel a queued, retrying or running job: the status then, "running" where its worker has yet to stop it.

    Raises UnknownJob, WrongState (it has ended) or DatabaseRefused.
    """
    return home().jobs.cancel(job)


def requeue(job: str, *, from_start: bool = False) -> None:
    """Run a dead or cancelled job again, with new attempts; its finished steps are kept unless `from_start`.

    Raises UnknownJob, WrongState (it is neither) or DatabaseRefused.
    """
    home().jobs.requeue(job, from_start)
