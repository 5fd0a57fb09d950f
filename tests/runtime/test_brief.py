"""Ephemeral tasks: short, or bound to a response; never silent, never left behind."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse

from guardrails import runtime
from guardrails.runtime.brief import ephemeral
from guardrails.runtime.errors import DeclarationError, RuntimeFault


async def quick(value: int = 1) -> int:
    await asyncio.sleep(0)
    return value


async def endless() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    await asyncio.sleep(0)
    raise ValueError("as asked")


def test_it_is_a_name_of_the_runtime() -> None:
    assert runtime.ephemeral is ephemeral


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limit": 0.5}, "because"),
        ({"limit": 0.5, "because": "  "}, "because"),
        ({"because": "x"}, "either"),
        ({"because": "x", "limit": 0.5, "until": StreamingResponse(iter(()))}, "either"),
        ({"because": "x", "limit": 0}, "above 0"),
        ({"because": "x", "limit": 1.01}, "enqueue"),
        ({"because": "x", "limit": float("nan")}, "above 0"),
        ({"because": "x", "limit": True}, "above 0"),
        ({"because": "x", "until": JSONResponse({})}, "StreamingResponse"),
    ],
)
def test_what_would_outlive_its_handler_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises((DeclarationError, TypeError), match=words):
        ephemeral(**options)


def test_a_short_task_runs_and_gives_its_result() -> None:
    async def main() -> int:
        return await ephemeral(limit=0.5, because="a cache that fills itself again").start(quick(7))

    assert asyncio.run(main()) == 7


def test_a_task_is_held_and_ended_at_its_limit(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> bool:
        task = ephemeral(limit=0.05, because="a counter").start(endless())
        gc.collect()
        await asyncio.wait([task])
        return task.cancelled()

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(main())
    assert "a counter" in caplog.text


def test_a_task_that_swallows_its_end_is_ended_again() -> None:
    ends: list[int] = []

    async def stubborn() -> None:
        while len(ends) < 3:
            try:
                await endless()
            except asyncio.CancelledError:
                ends.append(1)

    async def main() -> None:
        await ephemeral(limit=0.02, because="a test").start(stubborn())

    asyncio.run(main())
    assert len(ends) == 3


def test_an_error_is_logged_also_when_nobody_waits(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        task = ephemeral(limit=0.5, because="a metric").start(broken())
        await asyncio.wait([task])

    asyncio.run(main())
    assert ["a metric" in record.getMessage() and "as asked" in str(record.exc_info) for record in caplog.records] == [True]


def test_outside_an_event_loop_it_is_refused() -> None:
    with pytest.raises(RuntimeFault, match="event loop"):
        ephemeral(limit=0.5, because="x").start(quick())
    with pytest.raises(RuntimeFault, match="event loop"):
        ephemeral(until=StreamingResponse(iter(())), because="x")
    with pytest.raises(DeclarationError, match="coroutine"):
        ephemeral(limit=0.5, because="x").start(quick)  # type: ignore[arg-type]


class Client:
    """The other side of a response, which may leave."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.left, self.started = asyncio.Event(), asyncio.Event()

    async def receive(self) -> dict[str, str]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message.get("body", b""))
        self.started.set()


async def sent(response: StreamingResponse, client: Client) -> None:
    await response(Request({"type": "http", "asgi": {"spec_version": "2.3"}}).scope, client.receive, client.send)


def test_a_task_bound_to_a_response_ends_with_it() -> None:
    async def main() -> None:
        queue: asyncio.Queue[bytes] = asyncio.Queue()

        async def feed() -> None:
            for number in range(3):
                await queue.put(b"%d" % number)
            await endless()

        async def body() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield await queue.get()

        response, client = StreamingResponse(body()), Client()
        held = ephemeral(until=response, because="it feeds this stream alone")
        task = held.start(feed())
        await sent(response, client)
        await asyncio.wait([task])
        assert (task.cancelled(), b"".join(client.sent)) == (True, b"012")
        with pytest.raises(RuntimeFault, match="over"):
            held.start(quick())

    asyncio.run(main())


def test_a_task_bound_to_a_response_ends_when_the_client_leaves() -> None:
    async def main() -> None:
        async def body() -> AsyncIterator[bytes]:
            yield b"x"
            await endless()

        response, client = StreamingResponse(body()), Client()
        tasks = [ephemeral(until=response, because="one of two").start(endless()) for _ in range(2)]
        sending = asyncio.create_task(sent(response, client))
        await client.started.wait()
        client.left.set()
        await asyncio.wait([sending, *tasks])
        assert all(task.cancelled() for task in tasks)

    asyncio.run(main())


def test_a_task_bound_to_a_response_that_is_dropped_ends_too() -> None:
    async def main() -> None:
        response = StreamingResponse(iter(()))
        task = ephemeral(until=response, because="a test").start(endless())
        del response
        gc.collect()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(main())
