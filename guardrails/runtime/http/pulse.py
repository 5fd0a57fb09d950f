"""One look at the database serves all who follow: which of the jobs that somebody watches have moved since."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.http import book

log = logging.getLogger("guardrails.runtime.http")
GONE = "gone"
PATIENCE = 2.0  # seconds between two looks at a database that is gone


class Watch:
    """One follower's eye on a job."""

    def __init__(self, pulse: "Pulse", job: str) -> None:
        self._pulse, self._job = pulse, job
        self._seen: object = None

    async def moved(self, most: float) -> bool:
        """Wait until the job or one of its streams has changed since the last call, at most `most` seconds; True where it has.

        The first call returns at once. It also returns where the service closes.
        """
        until = asyncio.get_running_loop().time() + most
        while not self._pulse.closing.is_set():
            now = self._pulse.state.get(self._job)
            if now is not None and now != self._seen:
                self._seen = now
                return True
            left = until - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await self._pulse.turn(left)
        return False


class Pulse:
    """Looks at the watched jobs, `every` so many seconds while there are any."""

    def __init__(self, look: Callable[..., Awaitable[Any]], every: float) -> None:
        self.state: dict[str, object] = {}
        self.closing = asyncio.Event()
        self._look, self._every = look, every
        self._watched: Counter[str] = Counter()
        self._turned = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watch(self, job: str) -> Iterator[Watch]:
        """Watch a job."""
        self._watched[job] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._beat())
        try:
            yield Watch(self, job)
        finally:
            self._watched[job] -= 1
            if self._watched[job] <= 0:
                del self._watched[job]
                self.state.pop(job, None)

    def close(self) -> None:
        """Let all followers end."""
        self.closing.set()
        self._turn()

    async def turn(self, most: float) -> None:
        """Wait for the next look, at most `most` seconds."""
        turned = self._turned
        try:
            async with asyncio.timeout(most):
                await turned.wait()
        except TimeoutError:
            return

    def _turn(self) -> None:
        turned, self._turned = self._turned, asyncio.Event()
        turned.set()

    async def _beat(self) -> None:
        while self._watched and not self.closing.is_set():
            await self._rest(await self._once())

    async def _rest(self, seconds: float) -> None:
        """Tell all who wait, then rest."""
        self._turn()
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return

    async def _once(self) -> float:
        """Look once; seconds to rest."""
        asked = sorted(self._watched)
        try:
            found = await self._look(book.states, asked)
        except RuntimeFault as fault:
            log.warning("Those who follow jobs wait: %s", fault)
            return PATIENCE
        except Exception:
            log.exception("Those who follow jobs wait")
            return PATIENCE
        self.state.update({job: found.get(job, GONE) for job in asked if self._watched[job] > 0})
        return self._every
