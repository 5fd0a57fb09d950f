"""The hidden lines by which a comment is known again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review_samples import found

from guardrails.review import marker
from guardrails.review.marker import Mark

TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)
MARKS = st.builds(
    Mark, fp=st.text("0123456789abcdef", min_size=24, max_size=24), rule=TEXT, path=TEXT, scope=TEXT, key=TEXT, cause=TEXT,
    also=st.lists(st.text("0123456789abcdef", min_size=24, max_size=24), max_size=3).map(tuple),
    state=st.sampled_from(("", "fixed", "allowed", "refused")), commit=TEXT, whole=st.booleans(),
)  # fmt: skip
SURROGATES = {chr(code) for code in range(0xD800, 0xE000)} - {chr(code) for code in range(0xDC80, 0xDD00)}


@given(st.lists(MARKS, max_size=4), TEXT)
def test_what_was_written_is_read_again_and_cannot_end_its_comment(marks, after):
    if any(SURROGATES & set("".join((one.rule, one.path, one.scope, one.key, one.cause, one.commit))) for one in marks):
        return  # no file has such a name
    written = marker.write(marks)
    assert marker.read(f"{written}Words. {after}") == tuple(marks)
    assert all(line.count("-->") == 1 and line.endswith(" -->") for line in written.splitlines())
    assert written.isascii()


def test_only_the_top_of_a_body_is_read():
    mark = marker.write([marker.of(found())])
    assert marker.read(f"Look:\n{mark}") == ()
    assert marker.read(f"```suggestion\n{mark}```\n") == ()
    assert not marker.is_summary(f"Words\n{marker.SUMMARY}")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<!-- guardrails:v1 -->",
        "<!-- guardrails:v2 fp=abc -->",
        "<!-- guardrails:v1 rule=x -->",
        "<!-- guardrails:v1 fp=a state=odd -->",
        "<!-- other -->",
    ],
)
def test_what_is_no_mark_of_ours_is_none(body):
    assert marker.read(body) == ()


def test_marks_survive_the_line_ends_of_a_browser():
    body = marker.SUMMARY + marker.write([marker.of(found())]) + "### Title\n"
    assert marker.read(body.replace("\n", "\r\n")) == marker.read(body) != ()
    assert marker.is_summary(body.replace("\n", "\r\n"))


def test_a_mark_says_in_clear_where_the_finding_was():
    line = marker.write([marker.of(found("untimed-call", "shop/jobs--old.py", scope="Shop.run"))])
    assert "rule=untimed-call path=shop/jobs-%2Dold.py scope=Shop.run key=" in line


def test_what_is_longer_than_a_comment_should_be_is_left_out():
    mark = marker.of(found(path="a" * 5_000, scope="b" * 5_000), [found(key=str(number)) for number in range(500)])
    assert (mark.path, mark.scope, len(mark.also)) == ("", "", marker.MOST)
    assert mark.fp == found(path="a" * 5_000, scope="b" * 5_000).fingerprint


def test_findings_of_one_cause_share_its_digest_and_those_without_have_none():
    one, other = found(key="a", cause="celery"), found(key="b", cause="celery")
    assert marker.of(one).cause == marker.of(other).cause != ""
    assert marker.of(found("untimed-job", cause="celery")).cause != marker.of(one).cause
    assert marker.of(found()).cause == ""
