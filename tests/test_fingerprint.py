from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails import fingerprint
from guardrails.read import read


def tokens(source: str) -> str:
    data = source.encode()
    return fingerprint.tokens(data, 0, len(data), [(one.start, one.end) for one in read("a.py", data).comments])


@pytest.mark.parametrize(
    "other",
    [
        "charge.delay( order,token = 'x' )",
        'charge.delay(order, token="x",)',
        "charge.delay(\n    order,  # the row\n    token='x',\n)",
        "charge.delay(order, \\\n  token=\"x\")",
        "charge.delay(\r\n\torder,\r\n\ttoken='x')",
    ],
)  # fmt: skip
def test_what_a_formatter_changes_changes_nothing(other):
    assert tokens(other) == tokens('charge.delay(order, token="x")')


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f('it\\'s')", 'f("it\'s")'),
        ("f('say \"x\"')", 'f("say \\"x\\"")'),
        ("f(F'{x}')", 'f(f"{x}")'),
        ("f(r'\\d')", 'f(r"\\d")'),
        ("f('\\n')", 'f("\\n")'),
    ],
)
def test_quote_style_changes_nothing(one, other):
    assert tokens(one) == tokens(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("f(a)", "f(b)"), ("f('a')", "f('b')"), ("f(a, b)", "f(b, a)"), ("f('#x')", "f('#y')"), ("not_x", "not x"), ("f('a  b')", "f('a b')")],
)
def test_what_changes_the_code_changes_the_tokens(one, other):
    assert tokens(one) != tokens(other)


def test_a_hash_in_a_string_is_no_comment():
    assert "#key" in tokens("f('#key')  # no key")


def test_equal_findings_are_counted_in_order():
    assert fingerprint.occurrences(["a", "b", "a", "a"]) == [0, 0, 1, 2]


def test_every_part_counts():
    base = ("rule", "a.py", "scope", "key", 0)
    others = [
        ("rule2", *base[1:]),
        ("rule", "b.py", *base[2:]),
        ("rule", "a.py", "other", "key", 0),
        (*base[:4], 1),
        (*base[:3], "key2", 0),
    ]
    marks = {fingerprint.make(*parts) for parts in (base, *others)}
    assert len(marks) == 6
    assert all(re.fullmatch(r"[0-9a-f]{24}", mark) for mark in marks)


CODE = ["f", "(", "a", ",", "'s'", ",", "{", "'k'", ":", "[", "1", ",", "x", "]", "}", ",", "key", "=", '"it"', ")"]


@given(st.lists(st.sampled_from([" ", "\n", "\n\n    ", "  # a comment, with 'quotes'\n", "\t"]), min_size=len(CODE), max_size=len(CODE)))
def test_no_white_space_and_no_comment_inside_brackets_changes_the_tokens(gaps):
    loose = "".join(token + gap for token, gap in zip(CODE, ["", *gaps[1:-1], ""], strict=True))
    assert tokens(loose) == tokens("f(a, 's', {'k': [1, x]}, key='it')")


@given(st.text(alphabet="abc'\"\\ \n#,()[]xfr", max_size=40))
def test_any_text_has_tokens(text):
    data = text.encode()
    assert fingerprint.tokens(data, 0, len(data)) == fingerprint.tokens(data, 0, len(data))


@pytest.mark.parametrize(
    ("loose", "tight"),
    [
        ("if (a\n        == b):\n    c", "if a == b:\n    c"),
        ("x = (\n    a\n)\ny", "x = a\ny"),
        ("return (a or b)", "return a or b"),
        ("a['x'] = (b if c else d)\n", "a['x'] = b if c else d\n"),
    ],
)
def test_parentheses_around_a_whole_value_do_not_count(loose, tight):
    assert tokens(loose) == tokens(tight)


def test_neither_seams_nor_quotes_in_braces_count():
    assert tokens("f(\n    'a'\n    f\"{x['k']}\"\n)") == tokens("f(f'a{x[\"k\"]}')")
    assert tokens("f('a', 'b')") != tokens("f('ab')")
    assert tokens("f('a' b'b')") != tokens("f('ab')")
    assert tokens("'a'") != tokens("")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = (a,)\ny", "x = a\ny"),
        ("x = (a) + b\n", "x = a + b\n"),
        ("x == (a or b)\n", "x == a or b\n"),
        ("return (a).b", "return a.b"),
        ("f(x=(a or b))", "f(x=a or b)"),
        ("x = (a) \\\n    + b", "x = a \\\n    + b"),
    ],
)
def test_other_parentheses_do(one, other):
    assert tokens(one) != tokens(other)
