"""The description of a command: checked once, run as often as a job or a schedule likes."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict, Unpack

from guardrails.runtime.errors import SandboxRefused
from guardrails.runtime.numeric import is_number, is_whole
from guardrails.runtime.sandbox import names
from guardrails.runtime.sandbox.outcome import Outcome
from guardrails.runtime.secret import SecretRef

Driver = Literal["bubblewrap", "docker", "process"]
OnOutput = Callable[[Literal["stdout", "stderr"], bytes], None]
MIB = 1 << 20


class Options(TypedDict, total=False):
    """What may be said of a command besides its words and its time; `Command` explains each and holds the defaults."""

    cpu: float | None
    memory: int | None
    output: int
    processes: int
    disk: int
    network: bool
    secrets: Mapping[str, SecretRef]
    files: Mapping[str, bytes]
    stdin: bytes | None
    collect: Sequence[str]
    readable: Sequence[str]
    driver: Driver
    image: str | None


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command and its limits, to be run on Linux. Nothing of it changes the machine until then.

    `words` is the program and its arguments; no shell reads them. Times are in seconds, sizes in bytes. Raises SandboxRefused
    where it could not be run safely.

    - `wall`: all its processes are gone within a second of this; inside a job the job's own limit may come before.
    - `cpu`: processor time of all its processes together.
    - `memory`: what its processes hold together; who grows beyond is stopped, while one allocation far beyond fails in the command itself.
    - `output`: of stdout and stderr together; the command is stopped when it writes more.
    - `processes`: processes and threads at one time; who keeps more is stopped, and (except by `process`) the kernel refuses further ones:
      under `process` a fork bomb of the root user can win.
    - `disk`: what its scratch folder holds, temporary files included.
    - `network`: False cuts it off from every network, this machine's own included.
    - `secrets`: variables of its environment; their values are replaced in all that it says and leaves.
    - `files`: content by relative path, put into its scratch folder (all executable). The folder is its HOME and working directory, and
      removed afterwards.
    - `collect`: patterns (`*.csv`, `out/*`; `*` crosses folders) of left files whose bytes come back, 16 MiB together at most.
    - `readable`: absolute paths outside /usr that it may read, such as a virtual environment; `process` reads what its user may read.
    - `driver`, `image`: who runs it; docker alone needs an image, which is never fetched.
    """

    words: tuple[str, ...]
    wall: float
    cpu: float | None = None
    memory: int | None = None
    output: int = MIB
    processes: int = 64
    disk: int = 64 * MIB
    network: bool = False
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    stdin: bytes | None = field(default=None, repr=False)
    collect: Sequence[str] = ()
    readable: Sequence[str] = ()
    driver: Driver = "bubblewrap"
    image: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("words", _words(self.words)), ("secrets", dict(self.secrets)), ("files", dict(self.files))):
            object.__setattr__(self, name, value)
        for name in ("collect", "readable"):
            object.__setattr__(self, name, names.several(name, getattr(self, name)))
        _numbers(self)
        names.check_secrets(self.secrets)
        names.check_files(self.files, self.disk)
        names.check_patterns(self.collect)
        names.check_readable(self.readable)
        _driver(self)

    def run(self, on_output: OnOutput | None = None) -> Outcome:
        """Run it, and wait for its end. Raises SandboxRefused where it cannot be given what it asks for."""
        from guardrails.runtime.sandbox.running import run_command

        return run_command(self, on_output)

    async def run_async(self, on_output: OnOutput | None = None) -> Outcome:
        """The same without blocking the event loop; a cancelled wait ends the command. `on_output` is called from another thread."""
        from guardrails.runtime.sandbox.running import run_command_async

        return await run_command_async(self, on_output)


def command(words: Sequence[str], *, wall: float, **options: Unpack[Options]) -> Command:
    """Describe a command for a schedule or a job; `Command` tells what the options mean."""
    return Command(words=words, wall=wall, **options)  # type: ignore[arg-type]


def _words(words: Sequence[str]) -> tuple[str, ...]:
    if isinstance(words, (str, bytes)):
        raise SandboxRefused('A command is a list of words, such as ["convert", "in.png", "out.jpg"]; no shell reads it.')
    found = tuple(words)
    if not found or not all(isinstance(word, str) and names.is_text(word) for word in found) or not found[0]:
        raise SandboxRefused("A command is a list of strings that UTF-8 can write, without NUL, the program first.")
    return found


def _numbers(command: Command) -> None:
    for name in ("wall", "cpu"):
        value = getattr(command, name)
        if (name, value) != ("cpu", None) and not (is_number(value) and 0 < value < math.inf):
            raise SandboxRefused(f"{name}={value!r} is not a number of seconds above 0.")
    for name in ("memory", "output", "processes", "disk"):
        value = getattr(command, name)
        if (name, value) != ("memory", None) and not (is_whole(value) and value > 0):
            raise SandboxRefused(f"{name}={value!r} is not a whole number above 0.")


def _driver(command: Command) -> None:
    if command.driver not in ("bubblewrap", "docker", "process"):
        raise SandboxRefused(f'There is no driver {command.driver!r}; choose "bubblewrap", "docker" or "process".')
    if command.driver == "process" and not command.network:
        raise SandboxRefused(
            'The driver "process" limits resources, but cannot cut a command off from the network: '
            'pass network=True if that is acceptable, or use driver="bubblewrap".'
        )
    if (command.driver == "docker") != bool(command.image):
        raise SandboxRefused('driver="docker" needs image="..", and no other driver takes one.')
