"""Procrastinate on PostgreSQL: "safe" runs the periodic task that its documents advise for dead workers' jobs, "defaults" is as it comes.

`python -m benchmarks.runtime.peers.on_procrastinate` is a worker.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import procrastinate
from procrastinate.types import JSONDict

from .. import effects
from ..setup import setup

URL = setup().url.replace("postgresql+psycopg://", "postgresql://")
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL))


# guardrails: allow untimed-job -- a peer as it comes; its bodies wait for 5 s at most
@app.task(name="job")
def job(number: int, work: float) -> None:
    """The job; a plain function, which the worker gives to a thread."""
    effects.run(number, work)


async def rescue(context: procrastinate.JobContext, timestamp: int) -> None:
    """Run the jobs of workers again that no longer send heartbeats."""
    for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=setup().lease):
        await app.job_manager.retry_job(stalled)


if setup().variant == "safe":
    app.periodic(cron="* * * * * */2")(app.task(name="rescue", queueing_lock="rescue", pass_context=True)(rescue))


class Peer:
    """Procrastinate on the PostgreSQL of the setup's address."""

    def prepare(self) -> None:
        """Its tables; the connection stays open for the producer."""
        app.open()
        app.schema_manager.apply_schema()

    def enqueue(self, jobs: Sequence[int], work: float) -> None:
        """A transaction for each."""
        for number in jobs:
            job.defer(number=number, work=work)

    def enqueue_many(self, jobs: Sequence[int], work: float) -> bool:
        """All in one statement."""
        arguments: list[JSONDict] = [{"number": number, "work": work} for number in jobs]
        job.batch_defer(*arguments)
        return True

    def held(self) -> int:
        """Jobs to do, and jobs that are being done by somebody, who may be dead."""
        statement = "SELECT count(*) AS held FROM procrastinate_jobs WHERE task_name = 'job' AND status IN ('todo', 'doing')"
        return int(app.connector.get_sync_connector().execute_query_one(statement)["held"])

    def command(self, worker: int) -> list[str]:
        """This module."""
        return [sys.executable, "-m", "benchmarks.runtime.peers.on_procrastinate"]


def main() -> None:
    """A worker, until SIGTERM."""
    if setup().variant == "safe":
        app.run_worker(concurrency=setup().slots, update_heartbeat_interval=setup().lease / 3, stalled_worker_timeout=setup().lease)
    else:
        app.run_worker(concurrency=setup().slots)


if __name__ == "__main__":
    main()
