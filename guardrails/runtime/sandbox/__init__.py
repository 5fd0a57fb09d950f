"""Bounded commands: a program that gets a time limit, a scratch folder, and nothing else that it was not given.

`run([...], wall=30)` runs one and returns its `Outcome`; `command([...], wall=30)` describes one for a schedule or a job. Every run has a
supervisor, a process of its own that kills all descendants at a limit, at the command's end, and when the caller dies, however it dies.

Three drivers. `bubblewrap`, the default, isolates: own users, processes, network and files; of the machine only /usr is seen, read-only.
`docker` isolates in a container of a given image. `process` only limits resources and is NOT a security boundary: it says so by refusing
`network=False`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrails.runtime.sandbox.commands import Command, command
    from guardrails.runtime.sandbox.outcome import Left, Outcome
    from guardrails.runtime.sandbox.running import run, run_async

__all__ = ["Command", "Left", "Outcome", "command", "run", "run_async"]

_HOMES = {"Command": "commands", "command": "commands", "Left": "outcome", "Outcome": "outcome", "run": "running", "run_async": "running"}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for: the supervisor imports this package, and wants to be quick."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
