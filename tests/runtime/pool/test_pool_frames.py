"""Frames arrive whole or not at all, whatever the socket does to them."""

import socket
import struct
import threading
from collections.abc import Iterator

import msgspec
import pytest

from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.pool import frames
from guardrails.runtime.pool.frames import Channel, Chunk, Clean, Failed, Finished, Frame, GarbledFrame, Go, Line, Output, Progress, Task

SAMPLES: list[Frame] = [
    Task("j", "charge", "7", "default", 2, '{"order_id":"7"}', 3, 2, 1, {"pay#1": "null"}),
    Line("INFO", "said", {"field": "värde"}, 1.5),
    Output("stderr", b"\xff\x00"),
    Progress(1, None, ""),
    Chunk("report", "text/csv", {"month": "5"}, None, b"a,b\n", True),
    Failed("ValueError", "no", "Traceback ..", "retry", 2.5),
    Clean(False, "The job left threads running (x)."),
]


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    """A channel, and the bare socket at its other end."""
    one, other = socket.socketpair()
    channel = Channel(one)
    yield channel, other
    channel.close()
    other.close()


def whole(frame: Frame) -> bytes:
    body = msgspec.msgpack.encode(frame)
    return struct.pack(">I", len(body)) + body


@pytest.mark.parametrize("frame", SAMPLES, ids=lambda frame: type(frame).__name__)
def test_a_frame_arrives_as_it_was_sent(frame: Frame, ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    Channel(other).send(frame)
    assert channel.receive(10) == frame


def test_all_frames_have_names_of_their_own() -> None:
    assert len({frame.__struct_config__.tag for frame in frames._Framed.__subclasses__()}) == len(frames._Framed.__subclasses__())


def test_a_frame_that_comes_in_pieces_is_put_together(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    data = whole(SAMPLES[0])
    for byte in data[:-1]:
        other.sendall(bytes([byte]))
        with pytest.raises(TimeoutError):
            channel.receive(0)
    other.sendall(data[-1:] + whole(Go()) + whole(Go())[:3])
    assert [channel.receive(0), channel.receive(0)] == [SAMPLES[0], Go()]
    with pytest.raises(TimeoutError):
        channel.receive(0.01)


def test_the_end_comes_after_all_whole_frames_and_swallows_a_part(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    other.sendall(whole(Go()) + whole(SAMPLES[0])[:-1])
    other.close()
    assert [channel.receive(10), channel.receive(10), channel.receive()] == [Go(), None, None]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">I", frames.CAP + 1),
        struct.pack(">I", 3) + b"\xc1\xc1\xc1",
        struct.pack(">I", 0),
        struct.pack(">I", 1) + b"\x80",
        whole(Finished("1")).replace(b"Finished", b"Finishes"),
        whole(Output("stdout", b"")).replace(b"stdout", b"stdtou"),
    ],
    ids=["other protocol", "too long", "no message", "empty", "no tag", "unknown tag", "wrong value"],
)
def test_what_is_no_frame_is_garbled(data: bytes, ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    other.sendall(data)
    with pytest.raises(GarbledFrame) as garbled:
        channel.receive(10)
    assert isinstance(garbled.value, RuntimeFault)
    assert "\n" not in str(garbled.value)


def test_all_that_has_arrived_is_given_and_then_what_is_wrong(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    assert channel.arrived() == []
    other.sendall(whole(Go()) + whole(SAMPLES[0]) + whole(Go())[:2])
    assert channel.arrived() == [Go(), SAMPLES[0]]
    assert channel.arrived() == []
    other.sendall(whole(Go())[2:] + struct.pack(">I", 1) + b"\x80")
    assert channel.arrived() == [Go()]
    for _ in range(2):
        with pytest.raises(GarbledFrame):
            channel.arrived()


def test_the_end_has_arrived_after_all_whole_frames(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    other.sendall(whole(Go()) + b"\x00")
    other.close()
    assert [channel.arrived(), channel.arrived(), channel.arrived()] == [[Go()], None, None]


def test_a_frame_over_the_cap_is_not_sent(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    with pytest.raises(GarbledFrame, match=r"a Output frame of \d+ bytes is over the 16777216 that fit"):
        channel.send(Output("stdout", bytes(frames.CAP)))
    channel.send(Go())
    assert Channel(other).receive(10) == Go()


def test_sending_to_who_is_gone_is_an_os_error(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    other.close()
    with pytest.raises(OSError):
        channel.send(Go())


def test_frames_of_many_threads_do_not_mix(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    sender = Channel(other)
    threads = [
        threading.Thread(target=lambda n=n: [sender.send(Output("stdout", bytes([n]) * 100_000)) for _ in range(5)]) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    received = [channel.receive(30) for _ in range(20)]
    for thread in threads:
        thread.join()
    assert sorted(frame.data[0] for frame in received if isinstance(frame, Output) and set(frame.data) == {frame.data[0]}) == sorted(
        [0, 1, 2, 3] * 5
    )
