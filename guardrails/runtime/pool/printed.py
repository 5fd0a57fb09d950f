"""What a child process prints: read from two pipes without ever waiting, in whole lines, and no more of it than a run may keep."""

import os
from contextlib import suppress

from guardrails.runtime.pool.frames import Output, Standard

PIPE = 65536  # bytes that a pipe holds, so that one read empties it
LONGEST_LINE = 16384  # bytes after which a line is passed on in pieces


class Printed:
    """The reading ends of a child's stdout and stderr; `most` bytes of a run are kept, the rest is counted."""

    def __init__(self, stdout: int, stderr: int, most: int) -> None:
        self.pipes: dict[int, Standard] = {stdout: "stdout", stderr: "stderr"}  # those that are open at the other end
        self._own = (stdout, stderr)
        self._most = most
        self._begin()
        for pipe in self._own:
            os.set_blocking(pipe, False)

    def _begin(self) -> None:
        self._kept = self._dropped = 0
        self._begun: dict[Standard, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}

    @property
    def flooded(self) -> bool:
        """Whether the run printed more than is kept: no reason any more to read each time that there is something."""
        return self._dropped > 0

    def discard(self) -> None:
        """Forget what was printed up to now: a run begins."""
        self.read()
        self._begin()

    def read(self) -> list[Output]:
        """What is there now, at most `PIPE` bytes of each stream; the last, unfinished line waits for its end."""
        frames = []
        for pipe, stream in list(self.pipes.items()):
            with suppress(BlockingIOError):
                data = os.read(pipe, PIPE)
                if not data:
                    del self.pipes[pipe]
                frames += self._lines(stream, data)
        return frames

    def _lines(self, stream: Standard, data: bytes) -> list[Output]:
        kept = data[: self._most - self._kept]
        self._kept += len(kept)
        self._dropped += len(data) - len(kept)
        begun = self._begun[stream]
        begun += kept
        end = len(begun) if len(begun) > LONGEST_LINE else begun.rfind(b"\n") + 1
        whole = bytes(begun[:end])
        del begun[:end]
        return [Output(stream, whole)] if whole else []

    def rest(self) -> list[Output]:
        """The unfinished lines, as the run is over, and a note of how much was dropped."""
        frames = [Output(stream, bytes(begun)) for stream, begun in self._begun.items() if begun]
        if self._dropped:
            note = f"[{self._dropped} more bytes of output were dropped: a run keeps {self._most}]\n"
            frames.append(Output("stderr", note.encode()))
        self._begin()
        return frames

    def close(self) -> None:
        """Give the pipes back; who writes on gets an error."""
        for pipe in self._own:
            os.close(pipe)
