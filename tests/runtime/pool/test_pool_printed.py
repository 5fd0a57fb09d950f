"""What a job prints comes in whole lines, and no more of it than a run keeps."""

import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from guardrails.runtime.pool.frames import Output
from guardrails.runtime.pool.printed import LONGEST_LINE, Printed

Ends = tuple[Printed, int, int]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The reader, and the writing ends of stdout and stderr."""
    out, err = os.pipe(), os.pipe()
    printed = Printed(out[0], err[0], 40_000)
    yield printed, out[1], err[1]
    printed.close()
    for pipe in (out[1], err[1]):
        with suppress(OSError):  # closed by the test
            os.close(pipe)


def test_a_line_waits_for_its_end(ends: Ends) -> None:
    printed, out, err = ends
    os.write(out, b"one\ntwo\nthr")
    os.write(err, b"warning")
    assert printed.read() == [Output("stdout", b"one\ntwo\n")]
    os.write(out, b"ee\n")
    assert printed.read() == [Output("stdout", b"three\n")]
    assert printed.rest() == [Output("stderr", b"warning")]
    assert printed.rest() == []


def test_a_line_that_is_too_long_comes_in_pieces(ends: Ends) -> None:
    printed, out, _ = ends
    os.write(out, b"x" * LONGEST_LINE)
    assert printed.read() == []
    os.write(out, b"y")
    assert printed.read() == [Output("stdout", b"x" * LONGEST_LINE + b"y")]


def test_what_is_over_the_measure_is_counted_for_both_streams_together(ends: Ends) -> None:
    printed, out, err = ends
    os.write(out, b"o" * 29_999 + b"\n")
    assert not printed.flooded
    assert len(printed.read()) == 1
    os.write(err, b"e" * 29_999 + b"\n")
    assert printed.read() == []
    assert printed.flooded
    assert printed.rest() == [
        Output("stderr", b"e" * 10_000),
        Output("stderr", b"[20000 more bytes of output were dropped: a run keeps 40000]\n"),
    ]
    assert not printed.flooded


def test_a_stream_that_its_job_has_closed_is_not_read_any_more(ends: Ends) -> None:
    printed, out, _ = ends
    os.write(out, b"last")
    os.close(out)
    printed.read()
    printed.read()
    assert list(printed.pipes.values()) == ["stderr"]
    assert printed.rest() == [Output("stdout", b"last")]


def test_what_is_discarded_is_nobodys(ends: Ends) -> None:
    printed, out, _ = ends
    os.write(out, b"before\nand")
    printed.discard()
    os.write(out, b"after\n")
    assert printed.read() == [Output("stdout", b"after\n")]
