"""Repairs as lines that take the place of others."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from review_samples import SHOP, span, told

from guardrails.lint import lint_texts
from guardrails.review.hunks import Hunks, Shown
from guardrails.review.plan import Suggestion
from guardrails.review.suggest import MOST_LINES, replaced, suggestion

HEAD = SHOP["shop/app.py"]
WHOLE = Hunks({"shop/app.py": span(1, 14)})


def finding(rule, text=HEAD):
    return next(one for one in lint_texts({"shop/app.py": text}).findings if one.rule == rule)


def suggested(rule, hunks=WHOLE, text=HEAD, data=None):
    return suggestion(finding(rule, text), lambda _: text.encode() if data is None else data, hunks)


def test_a_repair_is_the_lines_that_it_changes():
    assert suggested("untimed-call") == Suggestion(7, 7, ('    requests.post("http://x", json={}, timeout=30)',), safe=True)


def test_a_repair_that_may_change_what_the_code_does_says_so():
    assert suggested("untimed-job") == Suggestion(4, 4, ("@app.task(time_limit=300)",), safe=False)


def test_a_finding_without_a_repair_has_none():
    assert suggested("swallowed-failure") is None


@pytest.mark.parametrize(
    ("hunks", "there"),
    [
        (Hunks({"shop/app.py": Shown(((7, 7),))}), True),
        (Hunks({"shop/app.py": Shown(((1, 6), (8, 14)))}), False),
        (Hunks({"web.py": span(1, 14)}), False),
    ],
    ids=["just its line", "all but its line", "another file"],
)
def test_the_lines_have_to_stand_in_a_hunk(hunks, there):
    assert (suggested("untimed-call", hunks) is not None) == there


def test_several_lines_have_to_stand_in_one_hunk():
    text = HEAD.replace('requests.post("http://x", json={})', 'requests.post(\n        "http://x",\n        json={},\n    )')
    made = suggested("untimed-call", Hunks({"shop/app.py": span(1, 17)}), text)
    assert made is not None
    assert made.start <= made.end
    split = Hunks({"shop/app.py": Shown(((1, made.start - 1), (made.start, made.end - 1), (made.end, 17)))})
    whole = Hunks({"shop/app.py": Shown(((made.start, made.end),))})
    assert suggested("untimed-call", split, text) == (None if made.end > made.start else made)
    assert suggested("untimed-call", whole, text) == made


def test_a_repair_that_needs_an_import_elsewhere_is_no_suggestion():
    text = HEAD.replace("\napp", "\n" + "# room\n" * MOST_LINES + "app", 1)
    found = finding("untimed-call", text)
    assert found.repair is not None
    needy = msgspec.structs.replace(
        found, repair=msgspec.structs.replace(found.repair, values={"timeout": "$.LIMIT"}, needs="import limits")
    )
    hunks = Hunks({"shop/app.py": span(1, text.count("\n"))})
    assert suggestion(found, lambda _: text.encode(), hunks) is not None
    assert suggestion(needy, lambda _: text.encode(), hunks) is None


@pytest.mark.parametrize(
    "data", [HEAD.replace("\n", "\r\n").encode(), b"\xff" + HEAD.encode(), b"def (:\n", None], ids=["CRLF", "no UTF-8", "broken", "gone"]
)
def test_a_file_that_a_comment_cannot_show_gets_none(data):
    found = finding("untimed-call")
    assert suggestion(found, lambda _: data, WHOLE) is None


def test_a_line_that_hides_something_gets_none():
    text = HEAD.replace("json={})", 'json={"a": "\u202e"})')
    assert suggested("untimed-call", text=text) is None


def test_a_line_end_that_git_does_not_know_gets_none():
    """The lines of the linter are not those of GitHub from there on."""
    text = f"# one\r# two\n{HEAD}"
    assert finding("untimed-call", text).spot.line == 9
    assert suggested("untimed-call", Hunks({"shop/app.py": span(1, 16)}), text) is None


def test_a_file_in_another_language_gets_none():
    found = finding("untimed-call")
    place = msgspec.structs.replace(found.spot, path="a.ts")
    repair = msgspec.structs.replace(found.repair, at=msgspec.structs.replace(found.repair.at, path="a.ts"))
    there = msgspec.structs.replace(found, spot=place, repair=repair)
    assert suggestion(there, lambda _: HEAD.encode(), Hunks({"a.ts": span(1, 20)})) is None


LINES = st.lists(st.sampled_from(("a", "b", "", "    c", "`")), max_size=12)


@given(LINES, LINES)
@example([], ["a"])
@example(["a"], [])
@example(["a", "b"], ["a", "a", "b"])
@example(["a", "b"], ["b"])
@example(["a"], ["a", "b"])
@example(["a"], ["a", ""])
def test_the_lines_put_in_place_of_those_replaced_make_the_new_file(before, after):
    old, new = "".join(f"{line}\n" for line in before), "".join(f"{line}\n" for line in after)
    made = replaced(old, new)
    assume(before != after)
    if not before or not after:  # nothing to put a comment beside, or nothing left
        assert made is None
        return
    assert made is not None
    start, end, lines = made
    assert 1 <= start <= end <= len(before)
    assert lines
    assert [*before[: start - 1], *lines, *before[end:]] == after


def test_no_more_than_some_lines_are_replaced():
    old = "".join(f"{number}\n" for number in range(MOST_LINES + 1))
    assert replaced(old, old.replace("\n", "x\n")) is None
    assert replaced(old, old.replace("\n", "x\n", MOST_LINES)) is not None
    assert replaced(old, old) is None
    assert replaced("a\nb", "a\nc") is None


def test_every_suggestion_mends_what_it_stands_beside():
    """A click on it, and the finding is gone."""
    for one in (told_one for told_one in told()[0] if told_one.suggestion is not None):
        path, made = one.found.spot.path, one.suggestion
        lines = SHOP[path].split("\n")
        mended = "\n".join([*lines[: made.start - 1], *made.lines, *lines[made.end :]])
        after = lint_texts({**SHOP, path: mended}).findings
        assert one.found.fingerprint not in {other.fingerprint for other in after}
        assert len(after) == len(told()[0]) - 1
