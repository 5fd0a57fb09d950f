"""Our runtime: "process" runs bodies in warm child processes, as by default; "thread" runs them in the worker's own threads."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pydantic import BaseModel

from guardrails import runtime

from .. import effects
from ..setup import setup

if setup().variant not in ("process", "thread"):
    raise ValueError(f"our runtime has no variant {setup().variant!r}")
runtime.configure(database=setup().url, lease=setup().lease)


class Work(BaseModel):
    """The payload of a job."""

    number: int
    seconds: float


@runtime.job(
    timeout=60,
    key=lambda work: work.number,
    retry=runtime.Retry(20),
    name="job",
    isolation="thread" if setup().variant == "thread" else "process",
)
def job(work: Work) -> None:
    """The job."""
    effects.run(work.number, work.seconds)


class Peer:
    """Our runtime on SQLite or on PostgreSQL, by the setup's address."""

    def prepare(self) -> None:
        """Its tables are made by the first question."""
        self.held()

    def enqueue(self, jobs: Sequence[int], work: float) -> None:
        """A transaction for each."""
        for number in jobs:
            job.enqueue(Work(number=number, seconds=work))

    def enqueue_many(self, jobs: Sequence[int], work: float) -> bool:
        """All in one transaction."""
        job.enqueue_many(Work(number=number, seconds=work) for number in jobs)
        return True

    def held(self) -> int:
        """Jobs that are neither done nor cancelled; dead letters count, as they wait for a person."""
        from guardrails.runtime.home import home
        from guardrails.runtime.store.reading import Reading

        counts = Reading(home().database).counts().get("default", {})
        return sum(counts.get(status, 0) for status in ("queued", "running", "retrying", "dead"))

    def command(self, worker: int) -> list[str]:
        """Its own command."""
        options = [f"--concurrency={setup().slots}"]
        return [sys.executable, "-m", "guardrails", "worker", "benchmarks.runtime.peers.ours", *options]
