"""The last resort, when a guardian was itself killed: everything that bears its mark, or is still in its child's session, is killed."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PAUSE = 0.01  # seconds between two looks; nobody tells of the death of processes that are not ours


def sweep(mark: str, session: int, seconds: float) -> None:
    """Kill what was below a guardian that is dead; on other systems than Linux only the child's process group.

    mark: a setting of the environment that all of it inherited. session: the child's process id, 0 if it never had one.
    Who wiped its environment and left the session is not found. Gives up on what does not die in so many seconds.
    """
    if not sys.platform.startswith("linux"):
        _signal(-session, signal.SIGKILL)
        return
    until = time.monotonic() + seconds
    stopped: set[int] = set()
    while (found := set(_marked(mark.encode(), session))) and time.monotonic() < until:
        if found <= stopped:  # none of them can fork any more
            for pid in found:
                _signal(pid, signal.SIGKILL)
            time.sleep(_PAUSE)
        for pid in found - stopped:
            _signal(pid, signal.SIGSTOP)
        stopped |= found


def _marked(mark: bytes, session: int) -> Iterator[int]:
    """The living processes that bear the mark or are in the session."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):  # it died meanwhile, or is another user's
                state, _, _, its_session = (process / "stat").read_bytes().rpartition(b")")[2].split()[:4]
                if state not in b"ZX" and (int(its_session) == session or mark in (process / "environ").read_bytes().split(b"\0")):
                    yield int(process.name)


def _signal(pid: int, number: int) -> None:
    if pid:  # 0 would be our own group
        with suppress(OSError):
            os.kill(pid, number)
