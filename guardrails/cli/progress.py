"""What is being done, on stderr, when a run takes long and somebody watches."""

from __future__ import annotations

import sys
import threading
from types import TracebackType

PATIENCE = 1.0  # seconds of silence


class Progress:
    """Shows its latest words on one line of the terminal, from `PATIENCE` on, and takes them away at the end."""

    def __init__(self) -> None:
        self.words = "starting"
        self._shown = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __call__(self, words: str) -> None:
        """Takes note of what is being done."""
        self.words = words

    def __enter__(self) -> Progress:
        if is_watched():
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        if self._thread.ident is not None:
            self._thread.join()
            self._write("")

    def _tick(self) -> None:
        while not self._done.wait(PATIENCE):
            self._write(f"guardrails: {self.words} ...")

    def _write(self, line: str) -> None:
        if line or self._shown:
            sys.stderr.write("\r" + line.ljust(self._shown) + ("" if line else "\r"))
            sys.stderr.flush()
            self._shown = len(line)


def is_watched() -> bool:
    """Whether stderr is a terminal."""
    return sys.stderr is not None and sys.stderr.isatty()
