"""What the supervisor is told, as JSON over its control socket: everything is decided before, nothing is looked up there."""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal

STATUS, HOLD, PASSWD, GROUP = 20, 21, 22, 23  # descriptors that bubblewrap gets
WORK, TEMPORARY = "work", "tmp"  # the folders within a scratch folder on disk
SLACK = 1 << 16  # bytes above a limit at which the kernel refuses: between the two a command is seen to have crossed it


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to start a command, when to end it, and what to remove afterwards.

    `deadline` is a moment of the monotonic clock, which all processes of a machine share. `environment` is the process's own, `helping`
    that of the commands `prepare` (before it), `stop` (to end it), `inspect` (at its end) and `remove` (after all). `scratch` is the folder
    to make, for `owner` (-1: as it comes), and empty where the driver makes it; `files` are paths and sizes, whose bytes follow the plan;
    `user` is whom to become first; `overhead` counts processes that are not the command's.
    """

    driver: Literal["bubblewrap", "docker", "process"]
    argv: list[str]
    environment: dict[str, str] = field(repr=False)
    deadline: float
    cpu: float | None
    memory: int | None
    processes: int
    disk: int
    files: list[tuple[str, int]]
    scratch: str = ""
    owner: int = -1
    user: int | None = None
    overhead: int = 0
    helping: dict[str, str] = field(default_factory=dict, repr=False)
    prepare: list[str] = field(default_factory=list)
    stop: list[str] = field(default_factory=list)
    remove: list[str] = field(default_factory=list)
    inspect: list[str] = field(default_factory=list)

    def text(self) -> bytes:
        """For the socket."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, text: bytes) -> "Plan":
        """From the socket."""
        said = json.loads(text)
        return cls(**said | {"files": [tuple(each) for each in said["files"]]})


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The supervisor's last word.

    `refused`: why nothing was run. `begun`: whether the command itself was started; else `told` or stderr has its driver's words. `cpu`:
    seconds. `told`: after the end, what `inspect` printed.
    """

    refused: str = ""
    begun: bool = True
    exit_code: int | None = None
    signal: int | None = None
    stopped_by: str | None = None
    cpu: float | None = None
    told: str = ""

    def text(self) -> bytes:
        """For the socket."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, text: bytes) -> "Ended":
        """From the socket."""
        return cls(**json.loads(text))
