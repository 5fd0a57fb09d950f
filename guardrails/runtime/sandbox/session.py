"""The caller's side of one run: starts the supervisor, feeds the command, listens, and hears how it ended."""

import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from guardrails.runtime.errors import SandboxRefused
from guardrails.runtime.sandbox.capture import STREAMS, Capture, Stream
from guardrails.runtime.sandbox.plan import Ended, Plan

_SUPERVISOR = (
    "import sys; sys.path.append(sys.argv[1]); from guardrails.runtime.sandbox.supervisor.main import main; main(int(sys.argv[2]))"
)
_LATEST = 10.0  # seconds after the deadline in which the supervisor has to be done
_LAST = 60.0  # seconds for it to remove what the command left
_DRAIN = 1.0  # seconds for the last output, when all processes are dead but a stream is held open by someone else
_CHUNK = 1 << 16


class Session:
    """One run. Leaving it ends whatever still runs, and waits until that is done."""

    def __init__(
        self, plan: Plan, files: Iterable[bytes], stdin: bytes | None, capture: Capture, cancel: socket.socket | None = None
    ) -> None:
        self.work: int | None = None
        self._plan, self._files, self._capture, self._cancel = plan, files, capture, cancel
        self._input = memoryview(stdin or b"")
        self._said = b""
        self._ended: Ended | None = None
        self._until = plan.deadline + _LATEST
        self._selector = selectors.DefaultSelector()
        self._streams: dict[Stream, IO[bytes]] = {}
        self._control, theirs = socket.socketpair()
        with theirs:
            self._supervisor = _start(theirs.fileno(), subprocess.DEVNULL if stdin is None else subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._control.close()
        self._selector.close()
        if self.work is not None:
            os.close(self.work)
        for stream in (self._supervisor.stdin, self._supervisor.stdout, self._supervisor.stderr):
            if stream is not None:
                stream.close()
        try:
            self._supervisor.wait(_LAST)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()

    def wait(self) -> Ended:
        """Tell the supervisor what to do, and wait for the end. Raises SandboxRefused when the supervisor dies."""
        self._tell()
        self._listen()
        while self._streams or self._ended is None:
            events = self._selector.select(max(0.0, self._until - time.monotonic()))
            if not events and time.monotonic() >= self._until:
                break
            for key, _ in events:
                key.data()
        if self._ended is None:
            raise SandboxRefused("The command's processes cannot be ended, though they were killed: look for a disk or driver that hangs.")
        return self._ended

    def _tell(self) -> None:
        plan = self._plan.text()
        self._control.settimeout(max(0.1, self._until - time.monotonic()))
        with suppress(OSError):  # it died; that is heard next
            self._control.sendall(len(plan).to_bytes(8, "big") + plan)
            for content in self._files:
                self._control.sendall(content)
        self._control.setblocking(False)

    def _listen(self) -> None:
        self._selector.register(self._control, selectors.EVENT_READ, self._hear)
        for name, stream in zip(STREAMS, (self._supervisor.stdout, self._supervisor.stderr), strict=True):
            if stream is not None:
                self._streams[name] = stream
                self._selector.register(stream, selectors.EVENT_READ, lambda name=name: self._take(name))
        if (stdin := self._supervisor.stdin) is not None:
            os.set_blocking(stdin.fileno(), False)
            self._selector.register(stdin, selectors.EVENT_WRITE, lambda: self._feed(stdin))
        if self._cancel is not None:
            self._selector.register(self._cancel, selectors.EVENT_READ, lambda: self._stop("cancel"))

    def _hear(self) -> None:
        """The supervisor's last word, and the scratch folder's descriptor."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, 1 << 16, 1, socket.MSG_CMSG_CLOEXEC)
        except OSError:
            data, descriptors = b"", []
        for descriptor in descriptors:
            self.work = descriptor
        self._said += data
        if not data:
            raise SandboxRefused(
                "The sandbox's supervisor was killed, and its command with it; if memory ran out, give the command less.",
                self._capture.kept("stderr").decode("utf-8", "replace"),
            )
        if self._said.endswith(b"\n"):
            self._ended = Ended.of(self._said)
            self._selector.unregister(self._control)
            self._until = time.monotonic() + _DRAIN

    def _take(self, name: Stream) -> None:
        stream = self._streams[name]
        if data := os.read(stream.fileno(), _CHUNK):
            flooded = self._capture.truncated
            self._capture.take(name, data)
            if self._capture.truncated and not flooded:
                self._stop("output")
            return
        self._selector.unregister(stream)
        del self._streams[name]

    def _feed(self, stdin: IO[bytes]) -> None:
        try:
            self._input = self._input[os.write(stdin.fileno(), self._input[:_CHUNK]) :]
        except BlockingIOError:
            return
        except OSError:  # the command does not read on
            self._input = self._input[:0]
        if not self._input:
            self._selector.unregister(stdin)
            stdin.close()

    def _stop(self, why: str) -> None:
        if why == "cancel" and self._cancel is not None:
            self._selector.unregister(self._cancel)
        with suppress(OSError):
            self._control.send(why.encode())


def _start(control: int, stdin: int) -> "subprocess.Popen[bytes]":
    """The supervisor, with nothing of our environment but what the interpreter itself may need."""
    root = str(Path(__file__).resolve().parents[3])
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _SUPERVISOR, root, str(control)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(control,),
        env={name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"},
        cwd="/",
        start_new_session=True,
    )
