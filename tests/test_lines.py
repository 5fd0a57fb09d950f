from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.lines import Lines, encoding_of
from guardrails.result import Spot


def test_lines_and_columns_count_from_one_in_code_points():
    source = "x = 1\nä = '😀' + y\n".encode()
    assert Lines(source).spot("a.py", source.index(b"y"), source.index(b"y") + 1) == Spot("a.py", 2, 11, 2, 12)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_kind_of_line_end_ends_a_line(end):
    source = b"a" + end + b"b" + end + end + b"cd"
    assert Lines(source).position(source.index(b"d")) == (4, 2)


def test_a_byte_order_mark_is_no_column():
    source = codecs.BOM_UTF8 + b"abc\nd"
    assert Lines(source).position(len(codecs.BOM_UTF8) + 1) == (1, 2)
    assert Lines(source).position(0) == (1, 1)
    assert Lines(source).position(source.index(b"d")) == (2, 1)


def test_a_coding_line_tells_what_a_character_is():
    source = b"# -*- coding: latin-1 -*-\nname = '\xe9\xc3\xa4' + y\n"
    assert Lines(source).position(source.index(b"y")) == (2, 16)
    utf8 = source.replace(b"latin-1", b"utf-8")
    assert Lines(utf8).position(utf8.index(b"y")) == (2, 15)


@pytest.mark.parametrize(
    ("source", "encoding"),
    [
        (b"#!/bin/python\n# vim: set fileencoding=cp1252 :\n", "cp1252"),
        (b"x\n# coding: latin-1\n", "utf-8"),
        (b"\n\n# coding: latin-1\n", "utf-8"),
        (b"# coding: no-such-thing\n", "utf-8"),
        (b"# coding: utf-16\n", "utf-8"),
        (b"# coding: rot13\n", "utf-8"),
        (codecs.BOM_UTF8 + b"# coding: latin-1\n", "utf-8"),
    ],
)
def test_the_encoding_is_what_python_would_take_or_utf_8(source, encoding):
    assert encoding_of(source) == encoding


@given(st.binary(max_size=200), st.integers(-5, 250), st.integers(-5, 250))
def test_any_bytes_have_a_position(source, start, end):
    spot = Lines(source).spot("a.py", start, end)
    assert 1 <= spot.line <= spot.end_line
    assert spot.column >= 1
    assert spot.end_column >= 1


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="\r\n", exclude_categories=("Cs",)), max_size=8), max_size=6))
def test_a_position_is_what_splitting_the_text_says(lines):
    source = "\n".join(lines).encode()
    for number, line in enumerate(lines, 1):
        start = len("\n".join(lines[: number - 1]).encode()) + (number > 1)
        if not line.startswith("\ufeff"):
            assert Lines(source).position(start + len(line.encode())) == (number, len(line) + 1)


@pytest.mark.parametrize("codec", ["undefined", "idna", "punycode"])
def test_a_codec_that_cannot_decode_any_bytes_is_not_taken(codec):
    source = f"# coding: {codec}\nä = 1\n".encode()
    assert encoding_of(source) == "utf-8"
    assert Lines(source).position(source.index(b"=")) == (2, 3)


@pytest.mark.parametrize("codec", ["utf-8", "latin-1", "shift_jis", "gb18030"])
def test_columns_of_a_long_line_are_those_of_decoding_it_whole(codec):
    line = ("name = 'あいう' + b; " * 200 if codec != "latin-1" else "é = 'ü'; " * 300).encode(codec) + b"\xff\xfe" * 300
    head = f"# coding: {codec}\n".encode()
    lines = Lines(head + line)
    for offset in [*range(0, len(line), 7), len(line), 3]:
        assert lines.position(len(head) + offset) == (2, len(lines.decode(line[:offset])) + 1)
