"""A child process as its worker sees it: send it a task, read what it says and prints, kill it whole."""

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.pool.frames import Channel, Clean, Failed, Finished, Frame, GarbledFrame, Learn, Output, Ready, Task
from guardrails.runtime.pool.leash import Leash
from guardrails.runtime.pool.printed import Printed

SETTLE = 2.0  # seconds that a child has after its outcome to say whether it may serve again
_NOTICE = 0.5  # seconds for the guardian to tell how a child ended whose socket is closed
_PACE = 0.005  # seconds between two looks at the output of a job that floods it
_TAIL = 4000  # bytes of what a child printed before it failed to start
_GONE = {
    "limit": "it was killed at its time limit",
    "leash": "it was killed because its worker's lease had not been renewed",
    "kill": "its worker killed it",
    "guardian": "its guardian process was killed",
    "lost": "it closed or garbled the connection to its worker and was killed",
}


@dataclass(frozen=True, slots=True)
class Gone:
    """The child is dead, and so is everything that it started: why is "exited" or one of `_GONE`, how continues "the process ended: "."""

    why: str
    how: str


class Child:
    """One process with its guardian. One thread runs tasks in it; any thread may `renew` or `kill`."""

    def __init__(self, app: str, environ: Mapping[str, str], until: float | None, most: int) -> None:
        """Start it; `await_ready` waits until it has imported the application.

        until: monotonic seconds at which it dies unless renewed; most: bytes of output that a run keeps. Raises `OSError`.
        """
        self.runs = 0
        self._app = app
        self._deadline: float | None = None
        self._at_rest = False
        with ExitStack() as ours, ExitStack() as theirs:
            here, there = socket.socketpair()
            ours.callback(here.close)
            theirs.callback(there.close)
            pipes = [os.pipe() for _ in range(2)]
            for read, write in pipes:
                ours.callback(os.close, read)
                theirs.callback(os.close, write)
            path = json.dumps([entry or str(Path.cwd()) for entry in sys.path])
            command = [sys.executable, "-m", "guardrails.runtime.pool.child", app, str(there.fileno()), path]
            self._leash = Leash(command, data=there.fileno(), out=pipes[0][1], err=pipes[1][1], environ=environ, until=until)
            ours.pop_all()
        self.channel = Channel(here)
        self._printed = Printed(pipes[0][0], pipes[1][0], most)

    def await_ready(self, seconds: float) -> None:
        """Wait until tasks can be sent. Raises `RuntimeFault` (the child is dead then), its detail is what is known of the reason."""
        self._deadline = time.monotonic() + seconds
        printed = b""
        for event in self._events():
            if isinstance(event, Output):
                printed = (printed + event.data)[-_TAIL:]
            elif isinstance(event, Ready):
                self._deadline, self._at_rest = None, True
                return
            elif isinstance(event, Failed):
                self.kill()
                raise RuntimeFault(event.message, event.traceback)
            elif isinstance(event, Gone):
                how = f"it was not imported within {seconds:g} s" if event.why == "limit" else f"its child process ended: {event.how}"
                raise RuntimeFault(f"The application {self._app!r} cannot be imported: {how}.", printed.decode("utf-8", "replace"))

    def run(self, task: Task, limit_seconds: float) -> None:
        """Send a task; `frames` gives what comes of it. After the limit the child and all below it are killed."""
        self.runs += 1
        self._at_rest = False
        self._printed.discard()
        self._deadline = time.monotonic() + limit_seconds
        self._leash.limit(self._deadline)
        with suppress(OSError):  # it died meanwhile: `frames` tells
            self.channel.send(task)

    def frames(self) -> Iterator[Frame | Gone]:
        """What the task's child says and prints, in order, as it comes.

        The last one is `Clean`, after `Finished` or `Failed`, or else `Gone`, when there is no outcome. An outcome that was sent whole
        before the kill at the limit counts. Answers go through `channel.send`.
        """
        decided = False
        for event in self._events():
            if isinstance(event, Gone):
                yield Clean(ok=False, why=_unsettled(event)) if decided else event
                return
            if isinstance(event, Clean):
                yield self._judged(event)
                return
            if decided:
                continue  # a thread that the job left behind
            if isinstance(event, Finished | Failed):
                decided = True
                yield from self._printed.rest()
                yield event
                self._deadline = time.monotonic() + SETTLE
            else:
                yield event

    @property
    def reusable(self) -> bool:
        """Whether it lives, and its last run, if any, has left nothing behind."""
        return self._at_rest and not self._leash.dead()

    @property
    def alive(self) -> bool:
        """Whether it lives as far as its guardian has told."""
        return not self._leash.dead()

    def renew(self, until: float | None) -> None:
        """It dies at `until` (monotonic seconds; None: only with its worker)."""
        self._leash.renew(until)

    def order_kill(self) -> None:
        """Have it killed with everything below, without waiting."""
        self._leash.order_kill()

    def kill(self) -> None:
        """Kill it with everything below; returns once all are dead, after little more than 2 s in the worst case."""
        self._leash.kill()

    def close(self) -> None:
        """Give its descriptors back, after `kill`; nobody may be using it then."""
        self.channel.close()
        self._leash.close()
        self._printed.close()

    def _events(self) -> Iterator[Frame | Gone]:
        """Frames and output until the deadline, or until the child is gone: that is the last one."""
        early: list[Frame] = []
        while True:
            dead = self._leash.dead()  # asked first, as the dead send nothing more
            over = self._deadline is not None and time.monotonic() >= self._deadline
            arrived, lost = self._arrived()
            frames = early + arrived
            printed = self._printed.read()  # has all that was printed before `frames` were sent
            early = self._arrived()[0] if printed else []  # has each Learn that was sent before `printed` was
            yield from (frame for frame in frames + early if isinstance(frame, Learn))
            yield from printed
            yield from (frame for frame in frames if not isinstance(frame, Learn))
            early = [frame for frame in early if not isinstance(frame, Learn)]
            if frames or early:
                continue
            if lost or dead or over:
                yield from self._ended("lost" if lost else "limit")
                return
            self._wait()

    def _arrived(self) -> tuple[list[Frame], bool]:
        """What the child has sent, and whether it can send no more."""
        try:
            frames = self.channel.arrived()
        except GarbledFrame:
            return [], True
        return frames or [], frames is None

    def _wait(self) -> None:
        """Until there is something to read, or the deadline."""
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        poll.register(self._leash, select.POLLIN)
        for pipe in () if self._printed.flooded else self._printed.pipes:
            poll.register(pipe, select.POLLIN)
        left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        if self._printed.flooded:
            left = min(_PACE, _PACE if left is None else left)
        poll.poll(None if left is None else left * 1000)

    def _ended(self, why: str) -> Iterator[Output | Gone]:
        """See everything dead, and say how that came about: `why`, unless the guardian knows better."""
        if self._leash.dead(_NOTICE if why == "lost" else 0):
            why = self._leash.why
        self.kill()
        yield from self._printed.rest()
        yield Gone(why, _status(self._leash.status) if why == "exited" else _GONE[why])

    def _judged(self, clean: Clean) -> Clean:
        """The child's own word, and its guardian's on what is left below."""
        if clean.ok:
            strays = self._leash.rest()
            if strays is None:
                clean = Clean(ok=False, why="The process was killed at its limit after its job, or its guardian does not answer.")
            elif strays:
                clean = Clean(ok=False, why=f"The job left processes running ({', '.join(strays)}).")
        self._at_rest, self._deadline = clean.ok, None
        return clean


def _unsettled(gone: Gone) -> str:
    return f"The process ended: {'it did not come to rest before its limit' if gone.why == 'limit' else gone.how}."


def _status(status: int) -> str:
    if status >= 0:
        return f"it exited with status {status}"
    with suppress(ValueError):
        return f"it was killed by {signal.Signals(-status).name}"
    return f"it was killed by signal {-status}"
