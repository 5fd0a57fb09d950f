"""The processes below this one: which there are, what they use, and their end. Linux tells in /proc; elsewhere nothing is seen."""

import ctypes
import os
import select
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PARENT_DEATH_SIGNAL, _CHILD_SUBREAPER, _NO_NEW_PRIVILEGES = 1, 36, 38  # prctl(2)
_PAUSE = 20  # milliseconds between two looks while the killed die; their deaths wake us before
_LISTED = os.access(f"/proc/self/task/{os.getpid()}/children", os.R_OK)
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def become_subreaper() -> None:
    """Whoever below loses its parent becomes our child, also after setsid."""
    _prctl(_CHILD_SUBREAPER, 1)


def die_with(parent: int) -> None:
    """In a child, before its program: let the kernel kill it with its parent."""
    _prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def refuse_privileges() -> None:
    """In a child, before its program: no set-user-id program gives it a user whom we could not kill."""
    _prctl(_NO_NEW_PRIVILEGES, 1)


def _prctl(option: int, value: int) -> None:
    if _libc is not None and _libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


class Children:
    """Our children and the orphans among their descendants: who died, and how to end the rest."""

    def __init__(self) -> None:
        become_subreaper()
        self.wake, write = os.pipe()
        for descriptor in (self.wake, write):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # our caller decides when we end
            signal.signal(number, lambda *_: None)
        self.ended: dict[int, int] = {}

    def reap(self) -> bool:
        """Take note of who died; whether any child is left."""
        with suppress(BlockingIOError):
            os.read(self.wake, 65536)
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self.ended[found[0]] = os.waitstatus_to_exitcode(found[1])
        except ChildProcessError:
            return False
        return True

    def kill(self, leaders: Iterable[int] = ()) -> None:
        """Kill everything below; returns when nothing is left. `leaders` lead process groups, which die at one blow.

        Whoever is stopped cannot fork, so parents are stopped before their children are listed.
        """
        for leader in leaders:
            if leader not in self.ended:
                send(-leader, signal.SIGKILL)
        waiting = select.poll()
        waiting.register(self.wake, select.POLLIN)
        while self.reap():
            for pid in list(below(os.getpid(), stop=True)):
                send(pid, signal.SIGKILL)
            waiting.poll(_PAUSE)


def send(pid: int, number: int) -> None:
    """Signal a process, or the group of a negative number, that may be dead already."""
    with suppress(OSError):
        os.kill(pid, number)


def below(root: int, *, stop: bool = False) -> Iterator[int]:
    """Every descendant, parents first; with `stop` each is stopped before its children are listed."""
    seen: set[int] = set()
    waiting = _children(root)
    while waiting:
        pid = waiting.pop()
        if pid not in seen:
            seen.add(pid)
            if stop:
                send(pid, signal.SIGSTOP)
            waiting += _children(pid)
            yield pid


def _children(parent: int) -> list[int]:
    if not _LISTED:
        return [pid for pid in map(int, filter(str.isdigit, _entries("/proc"))) if _parent(pid) == parent]
    found: list[int] = []
    for thread in _entries(f"/proc/{parent}/task"):
        found += map(int, _read(f"/proc/{parent}/task/{thread}/children").split())
    return found


def _parent(pid: int) -> int:
    return int((_stat(pid) or ["", "0"])[1])


@dataclass(frozen=True, slots=True)
class Use:
    """What processes use: threads, processor seconds (with the children they waited for), resident bytes (shared ones counted by each)."""

    tasks: int
    cpu: float
    resident: int


def use(pids: Iterable[int]) -> Use:
    """What these use together at this moment."""
    tasks = ticks = pages = 0
    for pid in pids:
        if stat := _stat(pid):
            ticks += sum(map(int, stat[11:15]))
            tasks += int(stat[17])
            pages += int(stat[21])
    return Use(tasks, ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))


def held(pids: Iterable[int]) -> int:
    """Bytes that these hold together, shared ones counted once; slower than `use`. Who hides its own counts as `use` does."""
    total = 0
    for pid in pids:
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
        shares = [int(line.split()[1]) for line in lines if line.startswith(b"Pss:")]
        total += shares[0] * 1024 if shares else use([pid]).resident
    return total


def _stat(pid: int) -> list[str]:
    """The fields of a process's stat after its name, the state first; none when it is gone."""
    return _read(f"/proc/{pid}/stat").rpartition(b")")[2].decode().split()


def _entries(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except OSError:  # the process is gone
        return []


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # the process is gone
        return b""
