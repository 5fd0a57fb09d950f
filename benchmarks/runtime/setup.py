"""What a producer and a worker must know of their run; it travels in the environment, the one way into every system's own command."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

PREFIX = "RUNTIME_BENCH_"


@dataclass(frozen=True)
class Setup:
    """One system's place: a folder of its own, the address of its database or broker, its size, and which of its configurations it is."""

    folder: str
    url: str
    variant: str
    workers: int  # processes
    slots: int  # jobs at a time in each of them
    lease: float  # seconds after which a dead worker's job should start again, where a system has such a setting

    @property
    def effects(self) -> Path:
        """The file in which jobs write down that they ran."""
        return Path(self.folder) / "effects"

    def environment(self, worker: int = 0) -> dict[str, str]:
        """The variables for worker number `worker`, or for the producer (0)."""
        return {PREFIX + name.upper(): str(value) for name, value in asdict(self).items()} | {PREFIX + "WORKER": str(worker)}


def setup() -> Setup:
    """The setup of this process."""
    read = {name: os.environ[PREFIX + name.upper()] for name in Setup.__dataclass_fields__}
    return Setup(read["folder"], read["url"], read["variant"], int(read["workers"]), int(read["slots"]), float(read["lease"]))


def worker() -> int:
    """This process's worker number, from 1; 0 is the producer."""
    return int(os.environ[PREFIX + "WORKER"])
