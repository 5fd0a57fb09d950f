"""What the handlers share: settings, threads for what blocks, sessions, figures, and who follows what."""

import asyncio
import functools
from collections import Counter
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import anyio
from anyio import to_thread

from guardrails.runtime.http.figures import Figures
from guardrails.runtime.http.problems import Problem
from guardrails.runtime.http.pulse import Pulse
from guardrails.runtime.http.serving import Serving
from guardrails.runtime.http.sessions import Sessions

P = ParamSpec("P")
T = TypeVar("T")
REQUESTS, FOLLOWING, HOOKS = 8, 4, 4  # threads; neither followers nor webhooks take those of requests
PATIENCE = 5.0  # seconds that an event waits for a thread


class Desk:
    """One service's state."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.sessions = Sessions(serving.login_seconds, serving.session_seconds)
        self.figures = Figures()
        self.pulse = Pulse(self.look, serving.poll)
        self._followers: Counter[str] = Counter()
        self._requests: anyio.CapacityLimiter | None = None
        self._following: anyio.CapacityLimiter | None = None
        self._hooks = asyncio.Semaphore(HOOKS)

    async def work(self, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Run what blocks, such as a question to the database, in a thread."""
        if self._requests is None:
            self._requests = anyio.CapacityLimiter(REQUESTS)
        return await to_thread.run_sync(functools.partial(function, *args, **options), limiter=self._requests)

    async def look(self, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """As `work`, for those who follow."""
        if self._following is None:
            self._following = anyio.CapacityLimiter(FOLLOWING)
        return await to_thread.run_sync(functools.partial(function, *args, **options), limiter=self._following)

    async def take(self, function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """As `work`, for webhooks, whose functions are the application's; raises Problem 503 where all of them hang."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._hooks.acquire()
        except TimeoutError:
            raise Problem(503, "Too many events are being taken at the moment; send this one again.", {"Retry-After": "5"}) from None
        try:
            return await to_thread.run_sync(functools.partial(function, *args, **options))
        finally:
            self._hooks.release()

    def follow(self, holder: str) -> "Seat":
        """A seat for one more follower of a key; raises Problem 429 where all are taken."""
        if self._followers[holder] >= self.serving.followers:
            raise Problem(429, f"This key follows {self.serving.followers} jobs or streams already: close one.", {"Retry-After": "5"})
        self._followers[holder] += 1
        self.figures.followers.inc()
        return Seat(functools.partial(self._left, holder))

    def _left(self, holder: str) -> None:
        self._followers[holder] -= 1
        self.figures.followers.dec()


class Seat:
    """A follower's place; `leave` gives it back, once."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """Give it back."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
