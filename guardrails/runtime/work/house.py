"""A worker's household: the log of silent bodies, cancellations, ticks of schedules, jobs that their queue has lost, and what is old."""

import logging
import threading
import time
from collections.abc import Callable

from guardrails.runtime import scheduled
from guardrails.runtime.declare import registry
from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.home import Home
from guardrails.runtime.settings import Settings
from guardrails.runtime.store.reading import Reading
from guardrails.runtime.store.upkeep import Upkeep
from guardrails.runtime.work.run import Active

LOOK = 0.5  # seconds
MEND = 30.0
PRUNE = 3600.0
log = logging.getLogger("guardrails.runtime")


class House(threading.Thread):
    """Does each duty when it is due; one that fails is told, and done again the next time."""

    def __init__(
        self,
        home: Home,
        queues: list[str],
        settings: Settings,
        actives: Callable[[], list[Active]],
        holds: Callable[[], bool],
    ) -> None:
        super().__init__(name="household", daemon=True)
        self._home, self._queues, self._actives, self._holds = home, queues, actives, holds
        self._reading = Reading(home.database)
        self._upkeep = Upkeep(home.database, home.client)
        self._days = settings.retention_days
        self._ended = threading.Event()
        self._due = {self._look: 0.0, self._mend: time.monotonic() + MEND, self._prune: time.monotonic() + 60.0}
        self._every = {self._look: LOOK, self._mend: MEND, self._prune: PRUNE}

    def run(self) -> None:
        """Until stopped."""
        if registry.schedules:
            threading.Thread(target=self._keep_time, name="schedules", daemon=True).start()
        while not self._ended.wait(LOOK):
            for duty, due in list(self._due.items()):
                if time.monotonic() >= due and self._holds():
                    self._do(duty)

    def _do(self, duty: Callable[[], None]) -> None:
        try:
            duty()
        except RuntimeFault as fault:
            log.warning("%s", fault)
        except Exception:
            log.exception("The household duty %s failed", duty.__name__)
        self._due[duty] = time.monotonic() + self._every[duty]

    def _look(self) -> None:
        actives = self._actives()
        wanted = self._home.jobs.cancelled(active.started.id for active in actives)
        for active in actives:
            if active.started.id in wanted:
                active.stop("cancelled")
        for active in actives:
            active.flush()

    def _mend(self) -> None:
        for job in self._upkeep.mend():
            log.error("Job %s had been lost by its queue; it is queued again.", job)

    def _prune(self) -> None:
        removed = self._upkeep.prune(self._days)
        if removed:
            log.info("Removed %d finished jobs that were kept long enough.", removed)

    def drained(self) -> bool:
        """Whether nothing that this release knows waits or runs in the queues served."""
        return self._reading.unfinished(self._queues, sorted(registry.jobs)) == 0

    def _keep_time(self) -> None:
        """Schedules, apart from the rest: their payload functions are the application's, and may hang."""
        while not self._ended.wait(LOOK):
            if self._holds():
                try:
                    scheduled.tick(self._home)
                except RuntimeFault as fault:
                    log.warning("%s", fault)
                except Exception:
                    log.exception("Keeping the schedules failed")

    def stop(self) -> None:
        """End the threads."""
        self._ended.set()
