from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails import allow
from guardrails.lines import Lines
from guardrails.place import Place
from guardrails.read import read

RULES = ("untimed-job", "secret-in-log", "unused-allow", "unjustified-allow", "unknown-rule-in-allow")
TODAY = date(2026, 5, 1)
MARK = "# guardrails: allow untimed-job -- the supervisor ends it"


def comments(source: str, path: str = "a.py") -> tuple[allow.Allow, ...]:
    data = source.replace("MARK", MARK).encode()
    return allow.read(path, read(path, data), Lines(data))


def covered(source: str, path: str = "a.py") -> list[str]:
    data = source.replace("MARK", MARK).encode()
    [one] = comments(source, path)
    return [data[start:end].decode() for start, end in one.covers]


def judged(source: str, used=(), enabled=lambda rule: True) -> list[tuple[str, str]]:
    return [(one.rule, one.message) for one in allow.judge(comments(source), used, RULES, enabled, TODAY)]


def holds(source: str, rule: str = "untimed-job", today: date = TODAY) -> bool:
    [one] = comments(source)
    return one.holds(rule, Place("a.py", one.covers[0][0], one.covers[0][1]), today)


def test_on_a_line_of_its_own_it_covers_the_next_statement_and_no_more():
    assert covered("a()\nMARK\nb(\n  1)\nc()\n") == ["b(\n  1)"]


def test_blank_lines_and_other_comments_may_stand_between():
    assert covered("MARK\n\n# a word\nb()\n") == ["b()"]


def test_at_the_end_of_a_line_it_covers_the_statement_on_that_line():
    assert covered("a()\nb()  MARK\nc()\n") == ["b()"]
    assert covered("a(); b()  MARK\n") == ["a()", "b()"]


@pytest.mark.parametrize(
    "source", ["b(  MARK\n  1,\n  2)\n", "b(\n  1,  MARK\n  2)\n", "b(\n  1,\n  2)  MARK\n", "b(\n  MARK\n  1,\n  2)\n"]
)
def test_any_line_of_a_long_statement_will_do(source):
    assert covered(source) == [source.replace("MARK", MARK).partition(")")[0] + ")"]


def test_of_a_function_it_covers_the_whole_with_its_decorators():
    code = "@app.task(\n  bind=True)\nasync def f(a):\n  one()\n\n  two()"
    assert covered(f"x()\nMARK\n{code}\ny()\n") == [code]


@pytest.mark.parametrize(
    "code",
    [
        "@app.task  MARK\ndef f(a):\n  one()",
        "@app.task(\n  bind=True,  MARK\n)\ndef f(a):\n  one()",
        "@app.task(\n  MARK\n  bind=True,\n)\ndef f(a):\n  one()",
        "@app.task\nMARK\ndef f(a):\n  one()",
        "@app.task\nMARK\n@retried\ndef f(a):\n  one()",
        "@app.task\ndef f(a):  MARK\n  one()",
        "@app.task\ndef f(\n  a,  MARK\n  b\n):\n  one()",
        "@app.task\ndef f(\n  MARK\n  a,\n  b\n):\n  one()",
        "@app.task\ndef f(\n  a,\n  b\n) -> int:  MARK\n  one()",
        "class C(Task):  MARK\n  x = 1\n  def run(self):\n    pass",
        "def f(): one()  MARK",
    ],
)
def test_in_the_head_of_a_function_or_class_it_covers_the_whole(code):
    [text] = covered(f"{code}\n\nafter()\n")
    assert text.startswith(code[:9].replace("MARK", MARK))
    assert text.endswith(("one()", "pass", MARK))


def test_of_another_compound_statement_it_covers_the_head():
    [text] = covered("for x in rows:  MARK\n  one(x)\n")
    assert "rows" in text
    assert "one" not in text


def test_a_comment_in_a_body_covers_its_statement_only():
    assert covered("def f():\n  one()  MARK\n  two()\n") == ["one()"]
    assert covered("def f():\n  MARK\n  one()\n  two()\n") == ["one()"]


def test_a_docstring_line_is_a_statement_like_any_other():
    assert covered('def f():\n  """Doc."""  MARK\n  one()\n') == ['"""Doc."""']


def test_at_the_end_of_a_block_it_does_not_reach_the_code_further_left():
    assert covered("def f():\n    one()\n    MARK\n\ntwo()\n") == []


def test_at_the_end_of_a_file_it_covers_nothing():
    assert covered("a()\nMARK\n") == []


def test_an_import_is_a_statement():
    assert covered("MARK\nimport x\n\ndef f():\n  pass\n") == ["x"]


def test_inside_a_closure_it_covers_the_inner_statement():
    source = 'app.post("/x", async (req, res) => {\n  // guardrails: allow untimed-job -- r\n  queue.add(req.body);\n  other();\n});\n'
    [text] = covered(source, "a.ts")
    assert text.startswith("queue.add(req.body)")
    assert "other" not in text


def test_at_the_opening_line_of_a_closure_it_covers_the_whole_statement():
    source = 'app.post("/x", async (req, res) => {  // guardrails: allow untimed-job -- r\n  queue.add(req.body);\n});\n'
    [text] = covered(source, "a.ts")
    assert text.startswith("app.post")
    assert "queue.add" in text


@pytest.mark.parametrize(
    "code", ["def f():\n  return 'guardrails: allow untimed-job -- r'\n", "x = '''\n# guardrails: allow untimed-job -- r\n'''\n"]
)
def test_text_that_is_no_comment_allows_nothing(code):
    assert comments(code) == ()


@pytest.mark.parametrize("text", ["# a guardrails: allow x -- r", "# guardrails allow x -- r", "# guardrails: allows x -- r"])
def test_other_comments_are_left_alone(text):
    assert comments(f"{text}\na()\n") == ()


def test_several_rules_a_date_and_a_reason_are_read():
    [one] = comments("#guardrails:allow untimed-job,  secret-in-log until 2027-03-01 -- it is -- really -- fine  \na()\n")
    assert (one.rules, one.until, one.reason) == (("untimed-job", "secret-in-log"), date(2027, 3, 1), "it is -- really -- fine")


def test_a_good_comment_holds_for_its_rules_only():
    assert holds("a()  MARK\n")
    assert not holds("a()  MARK\n", "secret-in-log")


@pytest.mark.parametrize(
    "text", ["untimed-job", "untimed-job --", "untimed-job - why", "untimed-job --why", "untimed-job until 2027-01-01"]
)
def test_without_a_reason_nothing_is_allowed(text):
    source = f"a()  # guardrails: allow {text}\n"
    assert not holds(source)
    assert "unjustified-allow" in [rule for rule, _ in judged(source)]


def test_a_date_that_is_none_allows_nothing():
    source = "a()  # guardrails: allow untimed-job until tomorrow -- r\n"
    assert not holds(source)
    [finding] = judged(source)
    assert finding == ("unjustified-allow", "this comment says until tomorrow, which is no date (YYYY-MM-DD), so it allows nothing")


def test_it_holds_through_its_last_day_and_then_says_that_it_ended():
    source = "a()  # guardrails: allow untimed-job until 2026-05-01 -- r\n"
    assert holds(source, today=date(2026, 5, 1))
    assert not holds(source, today=date(2026, 5, 2))
    old = "a()  # guardrails: allow untimed-job until 2026-04-30 -- r\n"
    assert judged(old) == [("unused-allow", "this allowance of untimed-job ended on 2026-04-30 and no longer holds")]


def test_an_unknown_rule_brings_the_one_that_was_meant_and_the_others_still_hold():
    source = "a()  # guardrails: allow untimed-jobs, secret-in-log -- r\n"
    assert holds(source, "secret-in-log")
    assert judged(source, enabled=lambda rule: False) == [
        ("unknown-rule-in-allow", "there is no rule 'untimed-jobs', so nothing is allowed; did you mean untimed-job?")
    ]


def test_a_comment_without_a_rule_is_told():
    assert [rule for rule, _ in judged("a()  # guardrails: allow -- r\n")] == ["unknown-rule-in-allow"]


@pytest.mark.parametrize("rule", sorted(allow.OWN_RULES))
def test_what_is_said_about_comments_cannot_be_allowed(rule):
    source = f"a()  # guardrails: allow {rule} -- r\n"
    assert not holds(source, rule)
    assert judged(source) == [("unknown-rule-in-allow", f"{rule} cannot be allowed by a comment, so this one does nothing")]


def test_unused_is_judged_where_the_rule_ran_and_covered_nothing():
    source = "a()  MARK\n"
    [one] = comments(source)
    assert judged(source) == [("unused-allow", "untimed-job finds nothing here, so this comment allows nothing")]
    assert judged(source, used={(one.place, "untimed-job")}) == []
    assert judged(source, enabled=lambda rule: False) == []


@given(st.text(alphabet="#/ guardrails:allow,-\nuntil2027x\"'()", max_size=60))
def test_any_comment_is_read_without_a_crash(text):
    for one in comments(f"a()  # guardrails: allow{text}\nb()\n"):
        assert one.covers or not one.covers
        list(allow.judge([one], (), RULES, lambda rule: True, TODAY))


BLOCKS = ["a()\n", "def f(x):\n    b(x)\n", "class C:\n    y = 1\n", "for x in y:\n    c(\n        x,\n    )\n", "@d\ndef g():\n    pass\n"]


@given(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=6), st.data())
def test_whatever_line_it_ends_it_covers_code_that_touches_that_line(blocks, data):
    lines = "".join(blocks).splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] += f"  {MARK}"
    source = "\n".join(lines) + "\n"
    [one] = comments(source)
    numbers = Lines(source.encode())
    for start, end in one.covers:
        assert numbers.line_of(start) <= at + 1 <= numbers.line_of(end)


def test_what_is_wrong_with_many_rules_of_one_comment_is_told_in_short():
    names = ", ".join(f"no-rule-{number}" for number in range(5000))
    told = judged(f"# guardrails: allow {names} -- why\nf()\n")
    assert len(told) == 21
    assert told[-1] == ("unknown-rule-in-allow", "and 4,980 more rules of this comment are unknown")


def test_an_unused_rule_beside_a_used_one_is_to_be_taken_out_alone():
    found = comments("# guardrails: allow untimed-job, secret-in-log -- why\nf()\n")
    [one] = allow.judge(found, {(found[0].place, "untimed-job")}, RULES, lambda rule: True, TODAY)
    assert one.message == "secret-in-log finds nothing here, so naming it here allows nothing"
    assert one.fix == "take `secret-in-log` out of the comment"


def test_an_index_says_what_asking_each_comment_says():
    source = "MARK\ndef f():\n    MARK\n    a(\n      g(1)\n    )  MARK\n    b(); c()  MARK\nd()\n"
    found = comments(source)
    for at in range(len(source.replace("MARK", MARK))):
        asked = [one for one in found if one.holds("untimed-job", Place("a.py", at, at + 1), TODAY)]
        index = allow.Index(found, TODAY)
        assert index.first("untimed-job", at) == next(iter(asked), None)
        assert set(index.use("untimed-job", at)) == set(asked)


def test_thousands_of_comments_cost_no_more_than_their_number():
    source = "def f(\n" + f"    {MARK}\n" * 20_000 + "    a):\n    pass\n"
    start = time.process_time()
    index = allow.Index(comments(source), TODAY)
    for _ in range(20_000):
        list(index.use("untimed-job", 4))
    assert time.process_time() - start < 10
