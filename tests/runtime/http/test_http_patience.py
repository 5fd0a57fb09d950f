"""Nobody keeps a connection by doing nothing: not by silence, not by drops, not by reading nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from guardrails.runtime.http import patience
from tests.runtime.http import shop
from tests.runtime.http.served import KEY, PATIENCE, Served, following
from tests.runtime.workers import wait_for

LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = f"GET /openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()


@pytest.fixture
def hasty(serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> Served:
    """A service that waits shortly for requests and readers."""
    monkeypatch.setattr(patience, "REQUEST", 1.0)
    return serve(heartbeat=0.1, stall=0.3)


def connected(served: Served) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.settimeout(PATIENCE)
    made.connect(("127.0.0.1", served.port))
    return made


def ended(connection: socket.socket, drop: bytes = b"") -> bool:
    """Whether the service ends the connection while we send a drop ever so often."""
    connection.settimeout(0.05 if drop else PATIENCE)
    for _ in range(200):
        try:
            connection.sendall(drop)
            if not connection.recv(65_536):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def test_silence_is_not_waited_for(hasty: Served) -> None:
    with connected(hasty) as silent, connected(hasty) as half:
        half.sendall(LIVE[:20])
        assert ended(silent)
        assert ended(half)
    wait_for("nothing is kept", lambda: not hasty.connections)


@pytest.mark.parametrize(
    "begun", [b"", b"GET /health/live HTTP/1.1\r\nX: ", b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n"]
)
def test_a_head_or_a_body_that_nobody_wants_may_not_come_in_drops_for_ever(hasty: Served, begun: bytes) -> None:
    with connected(hasty) as connection:
        connection.sendall(begun)
        assert ended(connection, b"x")


def test_a_later_request_has_its_time_from_its_first_byte(hasty: Served) -> None:
    with connected(hasty) as connection:
        for _ in range(2):
            connection.sendall(LIVE)
            answer = b""
            while b'"live"' not in answer:
                answer += connection.recv(1) or pytest.fail("it ended")
        assert ended(connection, b"x")


def test_who_waits_for_an_answer_may_be_silent(hasty: Served) -> None:
    with hasty.client() as client, following(client, f"/api/tasks/{shop.order('7')}/events") as told:
        assert next(told).event == "Queued"
        assert [next(told).comments for _ in range(12)] == [["still here"]] * 12


def test_answers_that_nobody_reads_are_dropped(hasty: Served) -> None:
    run = shop.started(job := shop.order("7"))
    for _ in range(24):
        shop.wrote(run, b"x" * 1_000_000)
    with connected(hasty) as follower, connected(hasty) as other:
        follower.sendall(LARGE.replace(b"/openapi.json", f"/api/tasks/{job}/stream".encode()))
        other.sendall(LARGE * 500)
        assert follower.recv(12) == other.recv(12) == b"HTTP/1.1 200"
        wait_for("nothing is kept", lambda: not hasty.connections)


class Pipe:
    """A transport and its loop: a reader takes something in the first two looks, and then nothing more."""

    def __init__(self) -> None:
        self.left, self.looks, self.aborted = iter((100, 60, 60, 30, 30, 30, 30)), 0, False

    def get_write_buffer_size(self) -> int:
        return next(self.left)

    def abort(self) -> None:
        self.aborted = True

    def call_later(self, _seconds: float, look: Callable[[int], None], unread: int) -> None:
        assert not self.aborted
        self.looks += 1
        look(unread)


def test_who_reads_slowly_is_waited_for() -> None:
    line: Any = object.__new__(patience.protocol(30.0))
    line.transport = line.loop = pipe = Pipe()
    line._await_reading()
    assert (pipe.aborted, pipe.looks) == (True, 3)
