"""What a job left behind in its process, compared with how that was before its first job. What it left below, the guardian sees."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from guardrails.runtime.pool.frames import Clean

_ENDING = 0.05  # seconds that a job's threads have to end after it, all together


class Traces:
    """The process as it is now; `judged` compares it with how it is then."""

    def __init__(self) -> None:
        self._threads = frozenset(threading.enumerate())
        self._folder = _folder()
        self._environ = dict(os.environ)
        self._streams = _streams()

    def judged(self) -> Clean:
        """Whether another job finds what this one found."""
        why = "; ".join(self._found())
        return Clean(ok=not why, why=f"The job {why}." if why else "")

    def _found(self) -> Iterator[str]:
        if left := self._left():
            yield f"left threads running ({', '.join(left)})"
        if _folder() != self._folder:
            yield "changed the current folder"
        if (now := dict(os.environ)) != self._environ:
            changed = {name for name, _ in now.items() ^ self._environ.items()}
            yield f"changed the environment ({', '.join(sorted(changed))})"
        if _streams() != self._streams:
            yield "closed or replaced a standard stream"

    def _left(self) -> list[str]:
        """The names of new threads that do not end at once."""
        new = [thread for thread in threading.enumerate() if thread not in self._threads]
        until = time.monotonic() + _ENDING
        for thread in new:
            with suppress(RuntimeError, AssertionError):  # a thread that was not begun by `threading` cannot be joined
                thread.join(max(0.0, until - time.monotonic()))
        return sorted(thread.name for thread in new if thread.is_alive())


def _folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return None


def _streams() -> list[object]:
    named = (sys.stdin, sys.stdout, sys.stderr)
    return [*map(_file, range(3)), *named, *(getattr(stream, "closed", True) for stream in named)]


def _file(descriptor: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino
