"""A body in a warm child process: really stopped at its limit, with everything that it started."""

from guardrails.runtime.pool.frames import Clean, Failed, Finished, Frame, Task
from guardrails.runtime.pool.parent import Gone
from guardrails.runtime.pool.warm import Pool


class ProcessTalk:
    """See `run.Talk`."""

    def __init__(self, pool: Pool, task: Task, limit: float) -> None:
        self._pool = pool
        self._child = pool.take()
        try:
            self._child.run(task, limit)
        except BaseException:
            pool.give_back(self._child, False)
            raise
        self._frames = self._child.frames()
        self._decided = False
        self._gone: Gone | None = None

    def send(self, frame: Frame) -> None:
        """Answer the body; raises OSError when its process is gone."""
        self._child.channel.send(frame)

    def receive(self, until: float) -> Frame | None:
        """Its next word, or what it printed; None when its process is gone. The pool knows the limit itself: TimeoutError then."""
        frame = self._gone or next(self._frames)
        if isinstance(frame, Gone):
            self._gone = frame
            if frame.why == "limit":
                raise TimeoutError
            return None
        self._decided = isinstance(frame, Finished | Failed)
        return frame

    def kill(self) -> None:
        """Kill the process and all its descendants; returns when they are gone."""
        self._child.kill()

    def why(self) -> str:
        """How its process ended."""
        return self._gone.how if self._gone is not None else "it is alive"

    def fenced(self) -> bool:
        """Whether its guardian killed it because the worker's lease was over."""
        return self._gone is not None and self._gone.why == "leash"

    def leave(self) -> str:
        """Give the process back, once it has said whether it is as it was before; what it left behind, if anything."""
        clean = Clean(ok=False, why="")
        if self._decided:
            clean = next((frame for frame in self._frames if isinstance(frame, Clean)), clean)
        self._pool.give_back(self._child, clean.ok)
        return clean.why
