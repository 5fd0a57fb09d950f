"""A child process's guardian: it holds the leash, and kills everything below itself. Standard library only, run by its path.

`python -I -S guardian.py CONTROL DATA OUT ERR UNTIL COMMAND ..` starts the command with the inherited descriptors DATA (kept), OUT and ERR
(as its standard streams) in a session of its own. CONTROL is a socket of the worker; a line each way holds one word and its arguments:

    until T | until none    the worker's lease: at T everything below dies, unless a later T comes before
    limit T                 the present job's end, likewise
    rest                    the job is over before its limit; answered by `strays NAME(PID) ..`: what is there below besides the child
    kill                    everything below dies now

T is the monotonic clock, which all processes of a machine share. Everything also dies with the child, and with the worker, whose end
of CONTROL closes however it dies. The guardian's first line is `child PID`, its last `dead WHY STATUS`: WHY is `exited`, `limit`,
`leash`, `kill` or `worker`, STATUS what `wait` says of the child (negative: the signal); then the guardian ends.

On Linux the guardian is the subreaper of everything below: who calls setsid, or outlives its parent, becomes its child. Whoever is
stopped cannot fork, so parents are stopped before their children are listed, then all are killed, until the guardian has no child
left. Should the guardian itself be killed, the kernel kills the child, and the worker looks for the rest; should it be stopped, the
worker continues it, or the kernel does at the worker's death. Elsewhere a kill reaches the child's process group: who left that group
lives on, and strays are not seen.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

LINUX = sys.platform.startswith("linux")
_PARENT_DEATH_SIGNAL, _CHILD_SUBREAPER = 1, 36  # prctl(2)
_LISTED = os.access(f"/proc/self/task/{os.getpid()}/children", os.R_OK)
_NAMED = 10  # strays in one answer
_PAUSE = 0.02  # seconds between two looks while the killed die; their deaths wake us before


def main(arguments: list[str]) -> None:
    """Start the command, and hold its leash to the end."""
    control, data, out, err = map(int, arguments[:4])
    for descriptor in (control, out, err):
        os.set_inheritable(descriptor, False)
    if LINUX:
        _prctl(_CHILD_SUBREAPER, 1)
    wake = _deaths()
    child = _start(arguments[5:], out, err)
    for descriptor in (data, out, err):
        os.close(descriptor)
    guardian = Guardian(control, wake, child, _moment(arguments[4]))
    guardian.say(f"child {child}")
    why = guardian.watch()
    guardian.kill()
    guardian.say(f"dead {why} {guardian.status}")
    os._exit(0)


class Guardian:
    """The loop between the worker's orders, the clock and the deaths of processes."""

    def __init__(self, control: int, wake: int, child: int, until: float | None) -> None:
        self.status = 0
        self._control, self._wake, self._child = control, wake, child
        self._until = until
        self._limit: float | None = None
        self._received = b""
        self._ended = False
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._poll.register(wake, select.POLLIN)
        os.set_blocking(control, False)

    def watch(self) -> str:
        """Wait until everything below has to die; says why."""
        while True:
            self._poll.poll(self._milliseconds())
            self._reap()
            if self._ended:
                return "exited"
            for order in self._orders():
                if order in ("kill", "worker"):
                    return order
                self._obey(*order.split())
            now = time.monotonic()
            if self._limit is not None and now >= self._limit:
                return "limit"
            if self._until is not None and now >= self._until:
                return "leash"

    def _milliseconds(self) -> float | None:
        ends = [end for end in (self._until, self._limit) if end is not None]
        return max(0.0, min(ends) - time.monotonic()) * 1000 if ends else None

    def _orders(self) -> Iterator[str]:
        """The worker's lines; "worker" when it is gone."""
        try:
            said = os.read(self._control, 65536)
        except BlockingIOError:
            return
        except OSError:
            said = b""
        if not said:
            yield "worker"
        *lines, self._received = (self._received + said).split(b"\n")
        yield from (line.decode() for line in lines)

    def _obey(self, order: str, argument: str = "none") -> None:
        if order == "until":
            self._until = _moment(argument)
        elif order == "limit":
            self._limit = _moment(argument)
        elif order == "rest":
            self._limit = None
            others = [pid for pid in _below(os.getpid()) if pid != self._child]
            self.say(" ".join(["strays", *(f"{_name(pid)}({pid})" for pid in others[:_NAMED])]))

    def say(self, line: str) -> None:
        """Tell the worker, if it is there to hear."""
        try:
            os.write(self._control, line.encode() + b"\n")
        except OSError:  # gone, or stopped for so long that nothing more fits: it loses nothing that its own clock does not tell it
            return

    def _reap(self) -> bool:
        """Take note of who died, orphans included; whether any child is left."""
        with suppress(BlockingIOError):
            os.read(self._wake, 65536)
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == self._child:
                    self._ended, self.status = True, os.waitstatus_to_exitcode(found[1])
        except ChildProcessError:
            return False
        return True

    def kill(self) -> None:
        """Kill everything below; returns when nothing is left. Without a child there is no descendant: orphans become our children."""
        wait = select.poll()
        wait.register(self._wake, select.POLLIN)
        while self._reap():
            for pid in list(_below(os.getpid(), stop=True)) if LINUX else ():
                _hit(pid, signal.SIGKILL)
            if not self._ended:
                _signal(-self._child, signal.SIGKILL)
            wait.poll(_PAUSE * 1000)


def _start(command: list[str], out: int, err: int) -> int:
    """The command's process: leader of a session of its own, killed by the kernel should we die."""
    guardian = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        if LINUX:
            _prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() == guardian:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(out, 1)
            os.dup2(err, 2)
            os.execv(command[0], command)
    finally:
        os._exit(127)


def _deaths() -> int:
    """A descriptor that is readable once a child died. Signals to a whole group are the worker's to judge."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which the child would inherit
    return read


def _below(root: int, *, stop: bool = False) -> Iterator[int]:
    """Every descendant, parents first; with `stop` each is stopped before its children are listed."""
    seen = set()
    waiting = _children(root)
    while waiting:
        pid = waiting.pop()
        if pid in seen:
            continue
        seen.add(pid)
        if stop:
            _hit(pid, signal.SIGSTOP)
        waiting += _children(pid)
        yield pid


def _children(parent: int) -> list[int]:
    """The children of all threads of a process, the dead but unreaped included; none outside Linux."""
    found: list[int] = []
    for thread in _entries(f"/proc/{parent}/task"):
        with suppress(OSError):
            found += map(int, _read(f"/proc/{parent}/task/{thread}/children").split())
    return found or ([] if _LISTED else _scan(parent))


def _scan(parent: int) -> list[int]:
    """The same from every process's own word, where the kernel lists no children."""
    found = []
    for pid in filter(str.isdigit, _entries("/proc")):
        with suppress(OSError):
            if int(_read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[1]) == parent:
                found.append(int(pid))
    return found


def _entries(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except OSError:  # the process is gone
        return []


def _name(pid: int) -> str:
    """A process's name as far as it fits into an answer."""
    try:
        name = _read(f"/proc/{pid}/comm").decode("ascii", "replace")
    except OSError:
        return "?"
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name.strip())


def _read(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        content = b""
        while more := os.read(descriptor, 65536):
            content += more
        return content
    finally:
        os.close(descriptor)


def _hit(pid: int, number: int) -> None:
    """Signal a descendant with its group, all of which is below us too: who forks and ends at once is gone before its own signal comes."""
    with suppress(OSError):
        if (group := os.getpgid(pid)) != os.getpgrp():
            os.kill(-group, number)
    _signal(pid, number)


def _signal(pid: int, number: int) -> None:
    with suppress(OSError):  # it is dead already
        os.kill(pid, number)


def _moment(text: str) -> float | None:
    return None if text == "none" else float(text)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    main(sys.argv[1:])
