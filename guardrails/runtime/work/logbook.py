"""A run's log on its way into the database: bounded, in batches, and without the secrets that the job was given."""

import time

from guardrails.runtime.logs.redact import Redactor, Stream
from guardrails.runtime.plain import plain
from guardrails.runtime.pool.frames import Learn, Line, Output, Standard
from guardrails.runtime.store.jobs import Started
from guardrails.runtime.store.output import LogLine
from guardrails.runtime.store.output import Output as Writer

MOST = 10_000  # lines of one run
LONGEST = 8192  # characters of a line
BATCH = 200
EVERY = 0.5  # seconds


class Logbook:
    """Collects the lines of one run."""

    def __init__(self, writer: Writer, started: Started, redactor: Redactor) -> None:
        self._writer, self._started, self._redactor = writer, started, redactor
        self._lines: list[LogLine] = []
        self._printed: dict[Standard, Stream] = {"stdout": redactor.stream(), "stderr": redactor.stream()}
        self._kept = self._dropped = 0
        self._flushed = time.monotonic()

    def take(self, frame: Line | Output | Learn) -> None:
        """Keep a line, or learn a secret that must stand in none; lines over the limit are counted."""
        if isinstance(frame, Learn):
            self._redactor.learn(frame.value)
            return
        if isinstance(frame, Line):
            self._add(frame.level, frame.message, frame.fields, frame.at)
            return
        self._print(frame.stream, self._printed[frame.stream].feed(frame.data))

    def _print(self, stream: Standard, data: bytes) -> None:
        for text in data.decode("utf-8", "replace").splitlines():
            self._add(stream, text, {}, time.time())

    def _add(self, level: str, message: str, fields: dict[str, str], at: float) -> None:
        if self._kept >= MOST:
            self._dropped += 1
            return
        self._kept += 1
        text = plain(self._redactor.text(message)[:LONGEST])
        self._lines.append(LogLine(self._started.start, level, text, self._redactor.fields(fields), at))

    def due(self) -> bool:
        """Whether enough is collected, or it has waited for long enough."""
        return bool(self._lines) and (len(self._lines) >= BATCH or time.monotonic() - self._flushed > EVERY)

    def flush(self) -> None:
        """Write what is collected. Raises RuntimeFault; then it is kept."""
        self._flushed = time.monotonic()
        if self._lines:
            self._writer.lines(self._started.id, self._lines)
            self._lines = []

    def close(self) -> None:
        """Write the rest, and how many lines were left out."""
        for stream, printed in self._printed.items():
            self._print(stream, printed.flush())
        if self._dropped:
            self._lines.append(LogLine(self._started.start, "WARNING", f"{self._dropped} more lines were left out", {}, time.time()))
        self.flush()
