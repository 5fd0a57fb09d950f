"""Where a run's time goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

Args = ParamSpec("Args")
Got = TypeVar("Got")


class Stopwatch:
    """Adds up seconds by stage. Stages nest; each counts only the time that no stage inside it counts."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what is done inside as this stage."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def timed(self, name: str, function: Callable[Args, Got]) -> Callable[Args, Got]:
        """The function, whose calls count as this stage."""

        def counted(*args: Args.args, **kwargs: Args.kwargs) -> Got:
            with self.stage(name):
                return function(*args, **kwargs)

        return counted

    def _turn(self) -> None:
        """Give the time since the last turn to the innermost open stage."""
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] = self.seconds.get(self._open[-1], 0.0) + now - self._since
        self._since = now
