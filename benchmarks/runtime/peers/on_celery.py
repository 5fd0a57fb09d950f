"""Celery on Redis, prefork: "safe" acknowledges late and gives a lost child's job back, "defaults" is Celery as it comes.

As it comes, a message is acknowledged before the job runs, four are fetched ahead for each slot, and one that nobody acknowledged
comes back after an hour.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from celery import Celery  # type: ignore[import-untyped]

from .. import effects
from ..setup import setup

app = Celery("bench", broker=setup().url)
app.conf.update(task_ignore_result=True, broker_connection_retry_on_startup=True)
if setup().variant == "safe":
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_transport_options={"visibility_timeout": setup().lease},
    )


# guardrails: allow untimed-job -- a peer as it comes; its bodies wait for 5 s at most
@app.task(name="job")  # type: ignore[untyped-decorator]
def job(number: int, work: float) -> None:
    """The job."""
    effects.run(number, work)


class Peer:
    """Celery on the Redis of the setup's address."""

    def prepare(self) -> None:
        """An empty Redis."""
        with app.connection_for_write() as connection:
            connection.default_channel.client.flushall()

    def enqueue(self, jobs: Sequence[int], work: float) -> None:
        """One message each."""
        for number in jobs:
            job.apply_async((number, work), task_id=f"job-{number}")

    def enqueue_many(self, jobs: Sequence[int], work: float) -> bool:
        """It has no such call: a group sends one message after the other."""
        return False

    def held(self) -> int:
        """Messages in the queue, and those given out and not acknowledged."""
        with app.connection_for_read() as connection:
            client = connection.default_channel.client
            return int(client.llen("celery")) + int(client.hlen("unacked"))

    def command(self, worker: int) -> list[str]:
        """Celery's own command."""
        options = ["--pool=prefork", f"--concurrency={setup().slots}", f"--hostname=bench{worker}@localhost", "--loglevel=ERROR"]
        return [sys.executable, "-m", "celery", "--app=benchmarks.runtime.peers.on_celery", "worker", *options]
