"""Connections that are given up, so that nobody keeps one by doing nothing: a request that does not come, an answer that is not read."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST = 10.0
"""Seconds for a request's head from the connection, or from its first byte; and for what is left of a body that was answered already."""


class Patient(H11Protocol):
    """HTTP/1.1 that aborts a connection whose request stays away, or whose client reads nothing for `stall` seconds."""

    stall = 30.0
    _coming: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; whatever is unread pauses writing, so also the end of an answer is seen to be stuck."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        for timer in (self._coming, self._unread):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Take what came; the clock runs on until the head is complete, and over a body that nobody reads any more."""
        super().data_received(data)
        theirs, ours = self.conn.their_state, self.conn.our_state
        if theirs is h11.IDLE or (theirs is h11.SEND_BODY and ours is h11.DONE):
            self._await_request()
        elif self._coming is not None:
            self._coming.cancel()
            self._coming = None

    def pause_writing(self) -> None:
        """Something is unread."""
        super().pause_writing()
        self._await_reading()

    def resume_writing(self) -> None:
        """All was read."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def _await_request(self) -> None:
        if self._coming is None:
            self._coming = self.loop.call_later(REQUEST, self.transport.abort)

    def _await_reading(self) -> None:
        self._unread = self.loop.call_later(self.stall, self._look, self.transport.get_write_buffer_size())

    def _look(self, unread: int) -> None:
        """Who reads slowly is waited for, who reads nothing is not."""
        if self.transport.get_write_buffer_size() < unread:
            self._await_reading()
        else:
            self.transport.abort()


def protocol(stall: float) -> type[Patient]:
    """The protocol with its patience for readers."""
    return type("Patient", (Patient,), {"stall": stall})
