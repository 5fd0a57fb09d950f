"""The only other way to leave an async handler: work so short, or so bound to a response, that losing it does no harm."""

import asyncio
import logging
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

from guardrails.runtime.errors import DeclarationError, RuntimeFault
from guardrails.runtime.numeric import is_number

T = TypeVar("T")
LONGEST = 1.0  # seconds
log = logging.getLogger("guardrails.runtime.ephemeral")


def ephemeral(*, because: str, limit: float | None = None, until: Any = None) -> "Ephemeral":
    """A place for tasks that may be lost: they live at most `limit` seconds (1 at most), or no longer than the response `until`.

    `until` is a Starlette StreamingResponse. `because` says why losing them does no harm; it stands in the log. Raises DeclarationError:
    whatever must happen, or takes longer, is a job.
    """
    if not isinstance(because, str) or not because.strip():
        raise DeclarationError('ephemeral(..) needs a reason: because="why losing it does no harm".')
    if (limit is None) == (until is None):
        raise DeclarationError("ephemeral(..) needs either limit=seconds or until=response.")
    if limit is not None and (not is_number(limit) or not 0 < limit <= LONGEST):
        raise DeclarationError(
            f"ephemeral(limit=..) is above 0 and at most {LONGEST:g} second, not {limit!r}: longer work is a job, enqueue it."
        )
    if until is not None and not (callable(getattr(until, "stream_response", None)) and hasattr(until, "body_iterator")):
        raise DeclarationError(f"ephemeral(until=..) takes a StreamingResponse, not a {type(until).__name__}.")
    made = Ephemeral(because.strip(), None if limit is None else float(limit))
    if until is not None:
        made._bind(until)
    return made


class Ephemeral:
    """Holds its tasks, ends them in time, and logs what failed; make one with `ephemeral(..)`."""

    def __init__(self, because: str, limit: float | None) -> None:
        self._because, self._limit = because, limit
        self._tasks: set[asyncio.Task[Any]] = set()
        self._over = False

    def start(self, coroutine: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run a coroutine beside the handler. Raises RuntimeFault outside an event loop, or once the response is over."""
        if not asyncio.iscoroutine(coroutine):
            raise DeclarationError(
                f"ephemeral(..).start takes a coroutine, as from calling an async function, not a {type(coroutine).__name__}."
            )
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            coroutine.close()
            raise RuntimeFault("ephemeral(..).start works only in an event loop; elsewhere call the function, or enqueue a job.") from None
        if self._over:
            coroutine.close()
            raise RuntimeFault("The response that this ephemeral task was bound to is over: enqueue a job.")
        task = loop.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        if self._limit is not None:
            timer = loop.call_later(self._limit, self._late, task, self._limit)
            task.add_done_callback(lambda _: timer.cancel())
        return task

    def _late(self, task: "asyncio.Task[Any]", limit: float) -> None:
        """Cancel, and again for as long as the task goes on."""
        if not task.done():
            log.warning("An ephemeral task (%s) was ended at its limit of %g s: %s", self._because, limit, task.get_coro())
            task.cancel()
            task.get_loop().call_later(limit, self._late, task, limit)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("An ephemeral task (%s) failed", self._because, exc_info=error)

    def _bind(self, response: Any) -> None:
        """End with a response, also with one that is dropped before it was sent."""
        kind, inner, whole = type(response), vars(response).get("stream_response"), weakref.ref(response)  # no cycle: it is dropped at once

        async def bound(channel: Any) -> None:
            try:
                await (kind.stream_response(whole(), channel) if inner is None else inner(channel))
            finally:
                self._close()

        response.stream_response = bound
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeFault("ephemeral(until=..) works only in an event loop, where the response is made.") from None
        weakref.finalize(response, _close_in, loop, self)

    def _close(self) -> None:
        self._over = True
        for task in tuple(self._tasks):
            task.cancel()


def _close_in(loop: asyncio.AbstractEventLoop, held: Ephemeral) -> None:
    """Close from whichever thread collects the response."""
    if not held._over and not loop.is_closed():
        loop.call_soon_threadsafe(held._close)
