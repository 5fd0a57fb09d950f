"""What a command left in its scratch folder, read when all its processes are dead."""

import os
import stat
from collections.abc import Sequence
from fnmatch import fnmatchcase

from guardrails.runtime.logs.redact import Redactor
from guardrails.runtime.sandbox.capture import cleaned
from guardrails.runtime.sandbox.names import TEMPORARY
from guardrails.runtime.sandbox.outcome import Left
from guardrails.runtime.sandbox.supervisor.folder import MOST, Entry, walk

LISTED = 10_000  # files
COLLECTED = 16 << 20  # bytes of all collected files


def collect(work: int, patterns: Sequence[str], redactor: Redactor | None) -> tuple[tuple[Left, ...], bool]:
    """The plain files of a folder by its descriptor, with the bytes of those that match a pattern, and whether some are not listed.

    Links, pipes and devices are neither followed nor listed.
    """
    found: list[Left] = []
    room = COLLECTED
    for count, entry in enumerate(walk(work)):
        if count >= MOST or len(found) >= LISTED or entry.unseen:
            return tuple(found), True
        if not stat.S_ISREG(entry.status.st_mode) or entry.path.startswith(f"{TEMPORARY}/"):
            continue
        left = _left(entry, any(fnmatchcase(entry.path, pattern) for pattern in patterns), room, redactor)
        room -= len(left.data or b"")
        found.append(left)
    return tuple(found), False


def _left(entry: Entry, wanted: bool, room: int, redactor: Redactor | None) -> Left:
    name = cleaned(redactor, os.fsencode(entry.path)).decode("utf-8", "backslashreplace")
    data = _read(entry, room) if wanted else None
    return Left(name, entry.status.st_size, None if data is None else cleaned(redactor, data), cut=wanted and data is None)


def _read(entry: Entry, room: int) -> bytes | None:
    """All of a file; None where it is too large, or may not be read."""
    try:
        file = os.open(entry.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=entry.folder)
    except OSError:
        return None
    with open(file, "rb") as content:  # noqa: PTH123 -- a descriptor has no path
        status = os.fstat(file)
        return content.read(room) if stat.S_ISREG(status.st_mode) and status.st_size <= room else None
