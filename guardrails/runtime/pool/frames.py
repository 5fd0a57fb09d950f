"""What a worker and a child process say to each other: MessagePack behind a length of four bytes, over a socket.

A frame is whole or not there: whoever dies in the middle of one has not sent it.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Literal, TypeAlias

import msgspec

from guardrails.runtime.errors import RuntimeFault

CAP = 16 * 1024 * 1024  # bytes of one frame
_LENGTH = struct.Struct(">I")
_READ = 256 * 1024


class GarbledFrame(RuntimeFault):
    """The other side sent what is no frame, or this side wants to send what is too large for one."""


class _Framed(msgspec.Struct, frozen=True, tag=True, tag_field="frame"):
    """Says which frame it is in a field of its own."""


class Task(_Framed, frozen=True):
    """Parent to child: run this job. `payload` is JSON; `finished` holds the JSON results of steps on record, by name ("charge#1")."""

    job: str
    name: str
    key: str
    queue: str
    version: int
    payload: str
    run: int
    attempt: int
    generation: int
    finished: dict[str, str]


class Go(_Framed, frozen=True):
    """Parent to child, after `Ask`: run this step."""


class Recorded(_Framed, frozen=True):
    """Parent to child, after `Ask` or `StepDone`: the step's result (JSON) is on record."""

    result: str


class Ready(_Framed, frozen=True):
    """Child to parent: the application is imported, send tasks."""


class Line(_Framed, frozen=True):
    """Child to parent: a line for the job's log; `at` in epoch seconds."""

    level: str
    message: str
    fields: dict[str, str]
    at: float


Standard: TypeAlias = Literal["stdout", "stderr"]


class Output(_Framed, frozen=True):
    """What a job printed. It travels in pipes; the parent's side makes frames of it: whole lines, except where one is very long."""

    stream: Standard
    data: bytes


class Learn(_Framed, frozen=True):
    """Child to parent: this secret was resolved; take it out of whatever the job prints from now on. It is kept nowhere.

    The parent's side gives it before anything that was printed after it.
    """

    value: str


class Progress(_Framed, frozen=True):
    """Child to parent: so far, of so many."""

    done: float
    total: float | None
    note: str


class Chunk(_Framed, frozen=True):
    """Child to parent: a piece of a durable stream; `ttl` in days, None = as long as the job is kept."""

    stream: str
    content_type: str
    metadata: dict[str, str]
    ttl: float | None
    data: bytes
    last: bool


class Ask(_Framed, frozen=True):
    """Child to parent: may I run this step? Answered by `Go` or `Recorded`. The name carries its occurrence: "charge#1"."""

    step: str


class StepDone(_Framed, frozen=True):
    """Child to parent: the step ran and gave this result (JSON)."""

    step: str
    result: str


class StepFailed(_Framed, frozen=True):
    """Child to parent: the step raised this."""

    step: str
    error: str


class Finished(_Framed, frozen=True):
    """Child to parent: the body returned this result (JSON)."""

    result: str


class Failed(_Framed, frozen=True):
    """Child to parent: the body raised (`after`: try again in so many seconds); instead of `Ready`, importing the application did."""

    type: str
    message: str
    traceback: str
    verdict: Literal["retry", "terminal"]
    after: float | None = None


class Clean(_Framed, frozen=True):
    """Child to parent, after `Finished` or `Failed`: whether this process may serve again, and if not, why not."""

    ok: bool
    why: str


ToChild: TypeAlias = Task | Go | Recorded
ToParent: TypeAlias = Ready | Line | Output | Learn | Progress | Chunk | Ask | StepDone | StepFailed | Finished | Failed | Clean
Frame: TypeAlias = ToChild | ToParent

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)


class Channel:
    """Frames over a connected stream socket. Any thread may send; one thread at a time receives."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(True)
        self._socket = connection
        self._sending = threading.Lock()
        self._received = bytearray()
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def fileno(self) -> int:
        """The socket's descriptor, for those who wait on several; -1 once closed."""
        return self._socket.fileno()

    def send(self, frame: Frame) -> None:
        """Send a frame whole; waits while the other side does not read. `OSError` when it is gone, `GarbledFrame` over the cap."""
        body = _encoder.encode(frame)
        if len(body) > CAP:
            raise GarbledFrame(f"a {type(frame).__name__} frame of {len(body)} bytes is over the {CAP} that fit; send less at once")
        with self._sending:
            self._socket.sendall(_LENGTH.pack(len(body)) + body)

    def receive(self, timeout: float | None = None) -> Frame | None:
        """The next frame; None when the other side is gone.

        timeout: seconds to wait for a whole frame, 0 only takes what is there, None waits for ever.
        Raises `TimeoutError`, and `GarbledFrame` for what is no frame (nothing that follows can be read then).
        """
        until = None if timeout is None else time.monotonic() + timeout
        while (frame := self._take()) is None:
            if not self._poll.poll(None if until is None else max(0.0, until - time.monotonic()) * 1000):
                raise TimeoutError(f"no whole frame came within {timeout} seconds")
            try:
                data = self._socket.recv(_READ)
            except ConnectionError:
                return None
            if not data:
                return None
            self._received += data
        return frame

    def arrived(self) -> list[Frame] | None:
        """All whole frames that had arrived when this was called; None when there is none and the other side is gone. Never waits.

        Raises `GarbledFrame` for what is no frame, once the frames before it were given.
        """
        gone = False
        with suppress(BlockingIOError):
            while data := self._now():
                self._received += data
                if len(data) < _READ:
                    break
            gone = not data
        frames: list[Frame] = []
        try:
            while (frame := self._take()) is not None:
                frames.append(frame)
        except GarbledFrame:
            if not frames:
                raise
        return None if gone and not frames else frames

    def _now(self) -> bytes:
        try:
            return self._socket.recv(_READ, socket.MSG_DONTWAIT)
        except ConnectionError:
            return b""

    def _take(self) -> Frame | None:
        """The frame at the head of what was received, if it is whole; what is no frame stays there."""
        if len(self._received) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._received)
        if length > CAP:
            raise GarbledFrame(f"a frame claims {length} bytes, over the {CAP} that fit: the other side sends something else than frames")
        end = _LENGTH.size + length
        if len(self._received) < end:
            return None
        try:
            frame = _decoder.decode(bytes(memoryview(self._received)[_LENGTH.size : end]))
        except msgspec.DecodeError as error:
            raise GarbledFrame(f"a frame of {length} bytes cannot be read: {error}") from None
        del self._received[:end]
        return frame

    def close(self) -> None:
        """Give the socket back; whoever waits on the other side sees the end."""
        self._socket.close()
