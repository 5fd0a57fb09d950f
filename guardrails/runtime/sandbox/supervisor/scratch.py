"""Scratch folders on disk, for drivers that have no file system of their own.

Each is locked by its supervisor; what a killed one left is swept by the next.
"""

import fcntl
import os
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from guardrails.runtime.sandbox.plan import TEMPORARY, WORK
from guardrails.runtime.sandbox.supervisor import folder

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Refused(Exception):
    """Why nothing can be run, in one sentence."""


class Complained(Exception):
    """What a driver's program said instead of starting the command; empty where it said so on the command's stderr."""


class Scratch:
    """A new folder with a `work` and a `tmp`, below a folder that only its user can enter."""

    def __init__(self, path: str, owner: int, abandoned: Callable[[str], object]) -> None:
        self._name = Path(path).name
        self._home = _home(Path(path).parent)
        fcntl.flock(self._home, fcntl.LOCK_EX)
        stale = self._stale()
        os.mkdir(self._name, 0o700, dir_fd=self._home)
        self.top = os.open(self._name, _FOLDER, dir_fd=self._home)
        fcntl.flock(self.top, fcntl.LOCK_EX)
        fcntl.flock(self._home, fcntl.LOCK_UN)
        for name in (WORK, TEMPORARY):
            os.mkdir(name, 0o700, dir_fd=self.top)
            os.chown(name, owner, owner, dir_fd=self.top, follow_symlinks=False)
        self.work = os.open(WORK, _FOLDER, dir_fd=self.top)
        for name, locked in stale.items():
            abandoned(name)
            with suppress(OSError):
                folder.remove(self._home, name)
            os.close(locked)

    def _stale(self) -> dict[str, int]:
        """Folders that no supervisor holds, and our locks on them."""
        found = {}
        for name in folder.names(self._home):
            with suppress(OSError):
                locked = os.open(name, _FOLDER, dir_fd=self._home)
                try:
                    fcntl.flock(locked, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    found[name] = locked
                except BlockingIOError:
                    os.close(locked)
        return found

    def remove(self) -> None:
        """Remove it with all that is in it."""
        with suppress(OSError):
            folder.remove(self._home, self._name)


def _home(path: Path) -> int:
    with suppress(FileExistsError):
        path.mkdir(0o700)
    try:
        home = os.open(path, _FOLDER)
    except OSError as error:
        raise Refused(f"The folder {path} cannot hold scratch folders ({error.strerror}); remove it, or set TMPDIR to another.") from error
    status = os.fstat(home)
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise Refused(f"The folder {path} cannot hold scratch folders, for others may enter it; remove it, or set TMPDIR to another.")
    return home


def helped(argv: list[str], environment: dict[str, str], seconds: float) -> tuple[bool, str]:
    """Run a helping command to its end; whether it did what it should, and what it printed, at most 64 KiB."""
    try:
        done = subprocess.run(
            argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    return done.returncode == 0, done.stdout[: 1 << 16].decode("utf-8", "replace")
