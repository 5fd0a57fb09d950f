"""What a system under measurement offers: one small Protocol, behind which each peer is one module of `peers` with a class `Peer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Peer(Protocol):
    """One job system in one configuration. All methods run in a producer process of its own, with the setup in the environment."""

    def prepare(self) -> None:
        """Make the system's tables or queues, in a place that is fresh and empty."""

    def enqueue(self, jobs: Sequence[int], work: float) -> None:
        """Enqueue one after the other; each is stored when its call returns."""

    def enqueue_many(self, jobs: Sequence[int], work: float) -> bool:
        """Enqueue all with the system's call for many; False where it has none."""

    def held(self) -> int:
        """How many jobs are unfinished by the system's own book: they may run later, or wait for a person."""

    def command(self, worker: int) -> list[str]:
        """The command that starts worker process number `worker`."""
