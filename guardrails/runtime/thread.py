"""A body in a thread of the worker: fast, and not to be stopped; its run can be declared over, its thread goes on until it returns."""

import contextvars
import queue
import threading
import time

from guardrails.runtime import body
from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.pool.frames import Failed, Finished, Frame, Task


class ThreadTalk:
    """See `run.Talk`; also the body's `context.Link`, turned around by `_Inner`."""

    def __init__(self, task: Task) -> None:
        self._out: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._in: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._over = threading.Event()
        context = contextvars.Context()  # nothing of the engine's own context reaches the body
        self._thread = threading.Thread(target=context.run, args=(self._work, task), name=f"job-{task.name}", daemon=True)
        self._thread.start()

    def _work(self, task: Task) -> None:
        self._out.put(body.run(task, _Inner(self._out, self._in, self._over)))

    def send(self, frame: Frame) -> None:
        """Answer the body."""
        self._in.put(frame)

    def receive(self, until: float) -> Frame | None:
        """The body's next word; None once it was declared over."""
        left = until - time.monotonic()
        if left <= 0 and not self._over.is_set():
            return self._last_word()
        try:
            return self._out.get(timeout=max(0.0, left))
        except queue.Empty:
            raise TimeoutError from None

    def _last_word(self) -> Frame | None:
        """The outcome, where there is one already: what was said before it could be without end."""
        for _ in range(self._out.qsize()):
            if isinstance(frame := self._out.get(), Finished | Failed | None):
                return frame
        raise TimeoutError

    def kill(self) -> None:
        """Declare it over: what it still says is not heard, and each step, progress or stream that it asks for raises in it."""
        self._over.set()
        self._in.put(None)
        self._out.put(None)

    def fenced(self) -> bool:
        """Nobody but its worker ends a thread's run."""
        return False

    def why(self) -> str:
        """A thread has no exit status."""
        return "its thread was given up"


class _Inner:
    """The body's side."""

    def __init__(self, out: "queue.SimpleQueue[Frame | None]", into: "queue.SimpleQueue[Frame | None]", over: threading.Event) -> None:
        self._out, self._in, self._over = out, into, over

    def send(self, frame: Frame) -> None:
        """Tell the worker; raises RuntimeFault once the run is over."""
        if self._over.is_set():
            raise RuntimeFault("This run is over: it was stopped, or another worker has taken its job.")
        self._out.put(frame)

    def receive(self, timeout: float | None = None) -> Frame | None:
        """The worker's answer."""
        return self._in.get(timeout=timeout)
