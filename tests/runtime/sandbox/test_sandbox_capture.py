"""What is kept of an output, whatever its size and however it arrives."""

from hypothesis import given
from hypothesis import strategies as st

from guardrails.runtime.logs.redact import Redactor
from guardrails.runtime.sandbox.capture import STREAMS, Capture, Stream

pieces = st.lists(st.tuples(st.sampled_from(STREAMS), st.binary(max_size=40)), max_size=12)
SECRET = "abcdef0123"
told_pieces = st.lists(
    st.tuples(st.sampled_from(STREAMS), st.sampled_from([b"abc", b"def0123", b"abcdef0123", b"ab\n", b"x", b"\r"])), max_size=25
)


@given(pieces, st.integers(1, 200))
def test_the_first_bytes_are_kept_up_to_the_cap(said: list[tuple[Stream, bytes]], cap: int) -> None:
    heard: dict[str, bytes] = dict.fromkeys(STREAMS, b"")

    def hear(stream: str, data: bytes) -> None:
        heard[stream] += data

    capture = Capture(cap, None, hear)
    for stream, data in said:
        capture.take(stream, data)
    capture.close()
    first = {name: bytes(letter for each, letter in _letters(said)[:cap] if each == name) for name in STREAMS}
    assert {name: capture.kept(name) for name in STREAMS} == first == heard
    assert capture.truncated == (sum(len(data) for _, data in said) > cap)


def _letters(said: list[tuple[Stream, bytes]]) -> list[tuple[Stream, int]]:
    return [(stream, letter) for stream, data in said for letter in data]


@given(told_pieces, st.integers(1, 300), st.booleans())
def test_no_secret_is_kept_nor_more_than_the_cap(said: list[tuple[Stream, bytes]], cap: int, cut: bool) -> None:
    heard = bytearray()
    capture = Capture(cap, Redactor([SECRET]), lambda _stream, data: heard.extend(data))
    for stream, data in said:
        capture.take(stream, data)
    capture.close(cut=cut)
    kept = [capture.kept(name) for name in STREAMS]
    assert sum(map(len, kept)) == len(heard) <= cap
    assert not any(SECRET.encode() in data for data in kept)


@given(told_pieces)
def test_pieces_do_not_matter(said: list[tuple[Stream, bytes]]) -> None:
    pieced, whole = Capture(10_000, Redactor([SECRET])), Capture(10_000, Redactor([SECRET]))
    for stream, data in said:
        pieced.take(stream, data)
    for name in STREAMS:
        whole.take(name, b"".join(data for stream, data in said if stream == name))
    pieced.close()
    whole.close()
    assert [pieced.kept(name) for name in STREAMS] == [whole.kept(name) for name in STREAMS]


@given(st.integers(0, len(SECRET)))
def test_a_cut_leaves_no_beginning_of_a_secret(at: int) -> None:
    capture = Capture(1000, Redactor([SECRET]))
    capture.take("stdout", b"line\nmore " + SECRET.encode()[:at])
    capture.close(cut=True)
    assert capture.kept("stdout") == (b"line\nmore [redacted]" if at == len(SECRET) else b"line\nmore ")
