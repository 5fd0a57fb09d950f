"""What became of a command."""

from dataclasses import dataclass
from typing import Literal

StoppedBy = Literal["wall", "cpu", "memory", "output", "processes", "disk"]


@dataclass(frozen=True, slots=True)
class Left:
    """A plain file that the command left in its scratch folder.

    `name` is its path there, with `/` between folders (bytes that are not UTF-8 are written as `\\xff`), `size` counts bytes. `data` holds
    the bytes of a file that `collect` asked for; it is None for others, and for one that could not be read or no longer fitted (`cut`).
    """

    name: str
    size: int
    data: bytes | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it left behind.

    `exit_code` is None where a signal or a limit ended it; `signal` is that signal's number. Behind bubblewrap and docker a death by signal
    n arrives as exit code 128 + n, and is told as both. `stopped_by` names the limit that was crossed, None where none was: a command that
    ended by itself just after it crossed one has both this and its exit code. `stdout` and `stderr` hold at most `output` bytes together
    (`truncated`: there was more), with the values of its secrets replaced. `cpu_seconds` counts all processes of the command; None where
    the driver cannot tell. `files_cut`: more files were left than are listed.
    """

    exit_code: int | None
    signal: int | None
    stopped_by: StoppedBy | None
    stdout: bytes
    stderr: bytes
    truncated: bool
    cpu_seconds: float | None
    wall_seconds: float
    files: tuple[Left, ...] = ()
    files_cut: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.exit_code == 0 and self.stopped_by is None
