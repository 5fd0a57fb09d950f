"""What an application sets once: where its jobs are kept, how long a lease lasts, what is kept and for how long."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from guardrails.runtime.errors import DeclarationError
from guardrails.runtime.numeric import is_number

FILE = "guardrails.db"
VARIABLE = "GUARDRAILS_DATABASE_URL"


def from_environment(name: str) -> str | None:
    """The value of a secret, looked up where most platforms put it: an environment variable of that name."""
    return os.environ.get(name)


@dataclass(frozen=True, slots=True)
class Settings:
    """What `runtime.configure` sets; every field has a default that works on one machine."""

    database: str = field(default_factory=lambda: default_database())
    lease: float = 15.0
    """Seconds after which a silent worker counts as dead and its jobs are run again."""
    grace: float = 20.0
    """Seconds that a worker gives running jobs after SIGTERM before it hands them back."""
    poll: float = 0.075
    """Seconds between two glances of a worker at whether something waits in its queues."""
    retention_days: float = 30.0
    """Days for which finished jobs, their events and their streams are kept; dead letters and keys are kept until they are purged."""
    blobs: str = "guardrails-blobs"
    """A directory, or `s3://bucket/prefix`."""
    secrets: Callable[[str], str | None] = from_environment

    def __post_init__(self) -> None:
        for name in ("lease", "poll", "retention_days"):
            value = getattr(self, name)
            if not is_number(value) or not value > 0:
                raise DeclarationError(f"runtime.configure({name}=..) must be a number above 0, not {value!r}.")
        if self.lease < 1:
            raise DeclarationError(
                "runtime.configure(lease=..) must be at least 1 second: a worker renews its lease four times in that span."
            )
        if not is_number(self.grace) or not self.grace >= 0:
            raise DeclarationError(f"runtime.configure(grace=..) must be a number of seconds, 0 or more, not {self.grace!r}.")


def default_database() -> str:
    """The database of the environment, else a file in the working directory."""
    return os.environ.get(VARIABLE) or f"sqlite:///{Path.cwd() / FILE}"


_current: Settings | None = None
_listeners: list[Callable[[], None]] = []


def current() -> Settings:
    """The settings of this process."""
    global _current
    if _current is None:
        _current = Settings()
    return _current


def configure(**changes: object) -> Settings:
    """Change settings of this process; connections to another database are closed. Raises DeclarationError for what cannot work."""
    global _current
    unknown = set(changes) - set(Settings.__dataclass_fields__)
    if unknown:
        raise DeclarationError(
            f"runtime.configure knows no {', '.join(sorted(unknown))}; it knows {', '.join(Settings.__dataclass_fields__)}."
        )
    _current = replace(current(), **changes)  # type: ignore[arg-type]
    for listener in _listeners:
        listener()
    return _current


def on_change(listener: Callable[[], None]) -> None:
    """Call when settings have changed."""
    _listeners.append(listener)
