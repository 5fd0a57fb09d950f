"""The worker's end of a guardian: start one, renew its leash, and know for certain when everything below it is dead."""

import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from uuid import uuid4

from guardrails.runtime.pool import guardian
from guardrails.runtime.pool.sweep import sweep

MARK = "GUARDRAILS_CHILD"  # in the environment of everything below a guardian: how to find it should the guardian be killed
BOUND = 2.0  # seconds that a guardian has to report all dead, or to answer


class Leash:
    """One guardian with one child below it. Any thread may call anything but `close`."""

    def __init__(self, command: Sequence[str], *, data: int, out: int, err: int, environ: Mapping[str, str], until: float | None) -> None:
        self.why = ""  # once all is dead: `exited`, `limit`, `leash`, `kill`; `guardian` when that one was killed itself
        self.status = 0  # and what `wait` said of the child (negative: the signal)
        self._child = 0
        self._strays: list[str] | None = None
        self._said = b""
        self._lock = threading.Lock()
        self._mark = uuid4().hex
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        descriptors = [theirs.fileno(), data, out, err]
        try:
            self._guardian = subprocess.Popen(
                [sys.executable, "-I", "-S", guardian.__file__, *map(str, descriptors), _moment(until), *command],
                pass_fds=descriptors,
                env={**environ, MARK: self._mark},
                stdin=subprocess.DEVNULL,
                process_group=0,  # in our session: should we die while it is stopped, the kernel wakes it, as its group is an orphan then
            )
        except BaseException:
            self._control.close()
            raise
        finally:
            theirs.close()

    def fileno(self) -> int:
        """Readable when the guardian said something, or is gone."""
        return self._control.fileno()

    def renew(self, until: float | None) -> None:
        """Everything below dies at `until` (monotonic seconds; None: only with the worker)."""
        self._say(f"until {_moment(until)}")

    def limit(self, at: float) -> None:
        """Everything below dies at `at`, the end of the present job (monotonic seconds)."""
        self._say(f"limit {_moment(at)}")

    def rest(self) -> list[str] | None:
        """The job is over, before its limit: what is there below besides the child, as "name(pid)"; None when the guardian is silent."""
        self._strays = None
        self._say("rest")
        self._wait(lambda: self._strays is not None or bool(self.why), BOUND)
        return self._strays

    def dead(self, timeout: float = 0) -> bool:
        """Whether everything below is dead, as far as it is known after at most so many seconds."""
        return self._wait(lambda: bool(self.why), timeout)

    def order_kill(self) -> None:
        """Have everything below killed, without waiting for it."""
        self._say("kill")

    def kill(self) -> None:
        """Kill everything below; returns when it is dead.

        A guardian that does not report so within `BOUND` seconds (or was itself killed) is killed, and so is all that bears its mark.
        """
        self.order_kill()
        self._guardian.send_signal(signal.SIGCONT)  # should the job have stopped it
        if not self.dead(BOUND):
            self.why = "guardian"
        self._guardian.kill()
        self._guardian.wait()
        if self.why == "guardian":
            sweep(f"{MARK}={self._mark}", self._child, BOUND)

    def close(self) -> None:
        """Give the control socket back, after `kill`; nobody may be using the leash then."""
        self._control.close()

    def _say(self, line: str) -> None:
        with suppress(OSError):  # who is gone, or stopped until nothing more fits, is found out by whoever waits for an answer
            self._control.send(line.encode() + b"\n")

    def _wait(self, come: Callable[[], bool], timeout: float) -> bool:
        until = time.monotonic() + timeout
        while True:
            self._hear()
            left = until - time.monotonic()
            if come() or left <= 0:
                return come()
            poll = select.poll()  # one of its own for each thread that waits
            poll.register(self._control, select.POLLIN)
            poll.poll(left * 1000)

    def _hear(self) -> None:
        """Take in what the guardian said so far."""
        with self._lock:
            try:
                said = self._control.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                said = b""
            *lines, self._said = (self._said + said).split(b"\n")
            for line in lines:
                self._note(*line.decode().split())
            if not said:
                self.why = self.why or "guardian"

    def _note(self, word: str, *rest: str) -> None:
        if word == "strays":
            self._strays = list(rest)
        elif word == "child":
            self._child = int(rest[0])
        elif word == "dead":
            self.status, self.why = int(rest[1]), rest[0]


def _moment(at: float | None) -> str:
    return "none" if at is None else repr(at)
