"""What a body does to the outside while it runs: its log, its progress, its streams and its durable steps, all under the run's fence."""

import logging
import threading
import time
from collections.abc import Callable

from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.pool.frames import Learn, Line, Output, Progress
from guardrails.runtime.store.jobs import Jobs, Started
from guardrails.runtime.store.output import Output as Writer
from guardrails.runtime.work.logbook import Logbook
from guardrails.runtime.work.run import Passing

log = logging.getLogger("guardrails.runtime")
PAUSE = 0.2  # seconds at least between two writes of progress: of what is told faster, the latest counts


REST = 1.0  # seconds after a write that the database refused


class Effects:
    """See `run.Effects`. `flush` may be called by any thread."""

    def __init__(self, jobs: Jobs, writer: Writer, step: Callable[[str, Callable[[], str | None]], str | None], logbook: Logbook) -> None:
        self._jobs, self._writer, self._logbook = jobs, writer, logbook
        self.step = step
        self._lock = threading.Lock()
        self._held: tuple[Started, Progress] | None = None
        self._noted = self._not_before = 0.0

    def take(self, started: Started, frame: Passing) -> None:
        """Keep it; raises RuntimeFault where a stream would have a hole."""
        if isinstance(frame, Line | Output | Learn):
            with self._lock:
                self._logbook.take(frame)
                if self._logbook.due():
                    self._write(self._logbook.flush)
        elif isinstance(frame, Progress):
            with self._lock:
                self._held = started, frame
                if time.monotonic() - self._noted >= PAUSE:
                    self._write(self._note)
        elif not self._writer.chunk(started, frame):
            raise RuntimeFault("this run lost its fence: another one has taken over")

    def flush(self) -> None:
        """Write what is held back, so that it is seen while the body is silent."""
        with self._lock:
            self._write(self._note)
            self._write(self._logbook.flush)

    def close(self) -> None:
        """Write the rest."""
        with self._lock:
            self._not_before = 0.0
            self._write(self._note)
            self._write(self._logbook.close)

    def _write(self, write: Callable[[], None]) -> None:
        """What the database refuses is kept for the next time: a run is worth more than its log."""
        if time.monotonic() >= self._not_before:
            try:
                write()
            except RuntimeFault as fault:
                log.warning("A job's log waits: %s", fault)
                self._not_before = time.monotonic() + REST

    def _note(self) -> None:
        if self._held is not None:
            started, told = self._held
            self._jobs.progress(started, {"done": told.done, "total": told.total, "note": told.note})
            self._held, self._noted = None, time.monotonic()
