"""Answers that go on: server-sent events with a heartbeat, which end when the client leaves, or the service closes."""

import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from guardrails.runtime.http.desk import Seat

EVENTS = "text/event-stream"
RETRY = 1000  # milliseconds after which a browser connects again
HEARTBEAT = b": still here\n\n"


def frame(event: str, data: Any, number: str | None = None) -> bytes:
    """One event; an empty `number` makes the client forget the last one that it saw."""
    name = "" if number is None else f"id: {number}\n"
    return f"{name}event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def opening() -> bytes:
    """What comes first: how soon to come back."""
    return f"retry: {RETRY}\n\n".encode()


class Following(StreamingResponse):
    """An answer that goes on; the seat is given back however it ends."""

    def __init__(self, content: AsyncIterator[bytes], seat: Seat, headers: dict[str, str] | None = None, kind: str = EVENTS) -> None:
        super().__init__(content, 200, {"X-Accel-Buffering": "no", "Cache-Control": "no-store", **(headers or {})})
        self.headers["content-type"] = kind
        self._seat = seat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._seat.leave()
