"""A body in a thread of the worker: fast, and not to be stopped; its run can be declared over, its thread goes on until it returns."""

import contextvars
import queue
import threading
import time
from contextlib import suppress

from guardrails.runtime import body
from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.pool.frames import Failed, Finished, Frame, Task

BACKLOG = 1000  # frames that a body may be ahead of its worker


class ThreadTalk:
    """See `run.Talk`; also the body's `context.Link`, turned around by `_Inner`."""

    def __init__(self, task: Task) -> None:
        self._out: queue.Queue[Frame | None] = queue.Queue(BACKLOG)
        self._in: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._over = threading.Event()
        context = contextvars.Context()  # nothing of the engine's own context reaches the body
        self._thread = threading.Thread(target=context.run, args=(self._work, task), name=f"job-{task.name}", daemon=True)
        self._thread.start()

    def _work(self, task: Task) -> None:
        inner = _Inner(self._out, self._in, self._over)
        outcome = body.run(task, inner)
        with suppress(RuntimeFault):  # it came too late
            inner.send(outcome)

    def send(self, frame: Frame) -> None:
        """Answer the body."""
        self._in.put(frame)

    def receive(self, until: float) -> Frame | None:
        """The body's next word; None once it was declared over."""
        while not self._over.is_set() and (left := until - time.monotonic()) > 0:
            with suppress(queue.Empty):
                if (frame := self._out.get(timeout=left)) is not None:
                    return frame
        frame = self._last_word()
        if frame is None and not self._over.is_set():
            raise TimeoutError
        return frame

    def _last_word(self) -> Frame | None:
        """The outcome, where it was told in time; what else was told is no longer heard: of that there may be no end."""
        with suppress(queue.Empty):
            while True:
                if isinstance(frame := self._out.get_nowait(), Finished | Failed):
                    return frame
        return None

    def kill(self) -> None:
        """Declare it over: what it still says is not heard, and each step, progress or stream that it asks for raises in it."""
        self._over.set()
        self._in.put(None)
        with suppress(queue.Full):  # then nobody waits for more
            self._out.put_nowait(None)

    def fenced(self) -> bool:
        """Nobody but its worker ends a thread's run."""
        return False

    def why(self) -> str:
        """A thread has no exit status."""
        return "its thread was given up"


class _Inner:
    """The body's side."""

    def __init__(self, out: "queue.Queue[Frame | None]", into: "queue.SimpleQueue[Frame | None]", over: threading.Event) -> None:
        self._out, self._in, self._over = out, into, over

    def send(self, frame: Frame) -> None:
        """Tell the worker; raises RuntimeFault once the run is over."""
        while not self._over.is_set():
            with suppress(queue.Full):  # the worker is slower than the body: the body waits
                self._out.put(frame, timeout=0.2)
                return
        raise RuntimeFault("This run is over: it was stopped, or another worker has taken its job.")

    def receive(self, timeout: float | None = None) -> Frame | None:
        """The worker's answer."""
        return self._in.get(timeout=timeout)
