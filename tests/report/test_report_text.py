"""The report for people."""

from __future__ import annotations

import re

import msgspec
import pytest
import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from guardrails import report
from guardrails.finding import Repair
from guardrails.place import Place
from guardrails.report.safe import width
from guardrails.report.view import View, first_sentence
from guardrails.result import Remark, Result, Spot, Summary

ANSI = re.compile(r"\x1b\[[0-9;]*m")


def text(result: Result, **view: object) -> str:
    return report.render("text", result, View(rules=samples.RULES, **view))  # type: ignore[arg-type]


def snippet(line: str, what: str, columns: int = 100, words: str = "") -> list[str]:
    """The two lines of an excerpt, for a finding at `what` in a file of this one line."""
    sources = {"a.py": line.encode()}
    found = samples.found("untimed-job", samples.spot("a.py", what, sources), "Message.")
    if words:
        found = samples.found("untimed-job", Spot("b.py", 1, 1, 1, 2), "M.", related=(Remark(found.spot, words),))
    shown = text(samples.result(found, sources=sources), columns=columns).splitlines()
    start = next(index for index, one in enumerate(shown) if one.startswith("  1 |"))
    return shown[start : shown.index("", start)]


def test_a_finding_says_where_what_why_and_how() -> None:
    shown = text(samples.result(samples.untimed()))
    assert shown.splitlines()[:13] == [
        "shop/tasks.py:5:5: error untimed-job",
        "  Job `charge_card` has no time limit on the task, its base class, the app `shop` or the worker's",
        "  command line, so one hung call holds a worker slot until somebody kills it.",
        "",
        "  5 | def charge_card(self, order_id: int) -> None:",
        "    |     ^^^^^^^^^^^",
        "  --> shop/celery.py:1:7",
        '  1 | app = Celery("shop", broker=REDIS)',
        "    |       ---------------------------- this app sets no task_time_limit",
        "",
        "  fix: Set `task_time_limit=300` on the app, or `time_limit=300` on the task.",
        "  why: A job that never ends holds its worker slot. (`guardrails explain untimed-job`)",
        "",
    ]


def test_confidence_is_told_when_it_is_not_high() -> None:
    assert "error missing-idempotency-key (medium confidence)" in text(samples.result(samples.keyless()))
    assert "(high confidence)" not in text(samples.few())


def test_the_why_of_a_rule_is_told_once() -> None:
    twice = samples.result(samples.untimed(cause="a"), samples.untimed("send_receipt", cause="b"))
    assert text(twice).count("why:") == 1
    assert text(twice).count("fix:") == 2


def test_findings_of_one_cause_are_told_once() -> None:
    shown = text(samples.result(samples.untimed(), samples.untimed("send_receipt")))
    assert shown.count(": error untimed-job") == 1
    assert "also: 1 more place with the same cause\n    shop/tasks.py:11:5  send_receipt\n" in shown


def test_all_shows_every_finding_in_full() -> None:
    assert text(samples.many(), every=True).count("fix:") == 40


def test_above_twenty_findings_the_report_is_grouped() -> None:
    shown = text(samples.many())
    heads = [line for line in shown.splitlines() if line.startswith("===")]
    assert heads == [
        "=== untimed-job: 30 errors in 1 file, 1 cause ===",
        "=== missing-idempotency-key: 1 error in 1 file ===",
        "=== fire-and-forget-spawn: 9 warnings in 1 file ===",
    ]
    assert shown.count(": warning fire-and-forget-spawn") == 3
    assert "... and 6 more; guardrails check --select fire-and-forget-spawn --all" in shown
    assert "    ... and 23 more\n" in shown
    told = "An old code base? Take one rule at a time: guardrails check --select untimed-job\n"
    assert shown.endswith(f"{told}Or let only what is new count from now on: guardrails baseline write\n")
    adopted = text(msgspec.structs.replace(samples.many(), compared="the baseline"))
    assert adopted.endswith(told)


def test_twenty_findings_are_not_grouped() -> None:
    twenty = samples.many().findings[-9:] + samples.many().findings[:11]
    assert "===" not in text(samples.result(*twenty, sources=samples.many().sources))


def test_a_group_shows_its_gravest_first() -> None:
    result = samples.many()
    unsure = [samples.untimed("send_receipt", cause=str(number), confidence="low") for number in range(30)]
    sure = samples.untimed("charge_card", cause="sure")
    shown = text(samples.result(*unsure, sure, sources=result.sources))
    assert shown.index("shop/tasks.py:5:5: error") < shown.index("shop/tasks.py:11:5: error")


def test_what_a_machine_can_mend_is_counted_where_files_on_disk_were_looked_at() -> None:
    place = Place("shop/tasks.py", 0, 1)
    safe, guess = (samples.untimed(repair=Repair("argument", place, safe=safe)) for safe in (True, False))
    assert "machine" not in text(samples.result(safe, guess))
    shown = text(samples.result(safe, guess), mends=True)
    assert "1 finding can be mended by machine (1 more with --unsafe); add --fix --dry-run to see how.\n" in shown
    shown = text(samples.result(guess), mends=True)
    assert "1 finding can perhaps be mended by machine; add --fix --unsafe --dry-run to see how.\n" in shown
    assert "machine" not in text(samples.result(samples.untimed()), mends=True)


def test_files_that_were_passed_over_are_told_by_where_they_stand() -> None:
    passed = Summary(files=1, passed_over={"browser asset": 80, "hidden folder": 2, "test": 1, "binary": 3})
    shown = " ".join(text(samples.result(summary=passed)).split())
    assert "86 files: 3 binary, 80 for browsers, 2 in hidden folders, 1 in tests (--tests looks there, too)." in shown


def test_the_summary_counts_and_says_what_was_looked_at() -> None:
    shown = text(samples.few())
    assert "Found 3 errors and 1 warning in 2 files.\n" in shown
    assert "Looked at 212 files (18 with words of worker code): 14 jobs, 9 enqueues, 22 handlers, 3 schedules" in shown
    assert "Passed over 3 files: 2 binary, 1 over 2 MB.\n" in shown
    assert "1 place could not be judged; --show-unknown lists it.\n" in shown
    assert "1 finding allowed by a comment.\n" in shown


def test_unknown_places_are_listed_on_request() -> None:
    shown = text(samples.few(), show_unknown=True)
    assert "Could not be judged:\n  shop/web.py:3:5 untimed-job: the options come from `**options`\n" in shown
    assert "--show-unknown" not in shown


def test_a_clean_run_says_what_was_looked_at() -> None:
    assert text(samples.result()).startswith("No unsafe worker code found.\nLooked at 212 files")


def test_a_project_without_jobs_is_told_what_was_looked_for() -> None:
    shown = text(samples.result(summary=Summary(files=12, looked_for=("celery", "rq", "dramatiq"))))
    assert shown.endswith("No background job was found. Looked for celery, rq and dramatiq.\n")


def test_tabs_are_expanded() -> None:
    assert snippet("\tx\tcall()", "call()") == ["  1 |     x   call()", "    |         ^^^^^^"]


def test_wide_characters_are_measured() -> None:
    assert snippet("名前 = call()", "call()") == ["  1 | 名前 = call()", "    |        ^^^^^^"]
    assert snippet("call('名前')", "'名前'")[1] == "    |      ^^^^^^"


def test_combining_characters_take_no_cell() -> None:
    assert snippet("e\u0301 = call()", "call()")[1] == "    |     ^^^^^^"


@pytest.mark.parametrize("before", [0, 30, 300])
@pytest.mark.parametrize("after", [0, 300])
def test_long_lines_are_cropped_around_the_span(before: int, after: int) -> None:
    code, under = snippet("x" * before + "call()" + "y" * after, "call()", columns=60)
    assert width(code) <= 60
    assert code[under.index("^") :].startswith("call()")
    assert ("…" in code) == (before + after > 50)


def test_a_span_longer_than_the_line_is_cropped() -> None:
    code, under = snippet("a = " + "call" * 100, "call" * 100, columns=60)
    assert width(code) <= 60
    assert width(under) <= 60


def test_of_several_lines_the_first_is_shown() -> None:
    sources = {"a.py": b"call(\n    1,\n)\n"}
    found = samples.found("untimed-job", samples.spot("a.py", "call(\n    1,\n)", sources), "Message.")
    assert "  1 | call(\n    | ^^^^^ to line 3\n" in text(samples.result(found, sources=sources))


def test_words_that_do_not_fit_beside_their_underline_stand_below_it() -> None:
    words = "this is said of a place in so many words that it does not fit"
    shown = snippet("call()", "call()", columns=50, words=words)
    assert shown[1] == "    | ------"
    assert "".join(shown[2:]).replace("    | ", " ").split() == words.split()
    assert all(width(line) <= 50 for line in shown)


def test_places_of_one_file_are_shown_from_top_to_bottom_with_a_gap() -> None:
    shown = text(samples.result(samples.keyless())).splitlines()
    at = next(index for index, line in enumerate(shown) if line.startswith("  1 |"))
    assert shown[at + 2] == "  ..."
    assert shown[at + 3].startswith("  4 |")


def test_a_place_without_source_is_still_told() -> None:
    found = samples.untimed(related=(Remark(Spot("Procfile", 3, 1, 3, 9), "no --time-limit here"),))
    assert "  --> Procfile:3:1  no --time-limit here\n" in text(samples.result(found))
    assert "shop/tasks.py:5:5: error untimed-job" in text(samples.result(found, sources={}))


def test_what_acts_on_a_terminal_is_escaped() -> None:
    evil = "\x1b[31m\u202e\r\n\x07\u200b\u2028"
    sources = {f"a{evil}.py": f"call('\x1b[2J\u202e')  # {evil!r}\n".encode()}
    related = (Remark(Spot(f"b{evil}", 1, 1, 1, 2), evil),)
    found = samples.found(f"rule{evil}", Spot(f"a{evil}.py", 1, 1, 1, 5), evil, fix=evil, subject=evil, cause="c", related=related)
    result = samples.result(found, found, sources=sources, summary=Summary(frameworks=(evil,), looked_for=(evil,), passed_over={evil: 1}))
    shown = text(result)
    assert set(shown) - {"\n"} == {char for char in shown if char.isprintable()}
    assert "call('\\x1b[2J\\u202e')" in shown
    assert ANSI.sub("", text(result, color=True)) == shown


def test_undecodable_names_and_sources_are_escaped() -> None:
    sources = {"a.py": b"call('\xff')\n"}
    found = samples.found("untimed-job", Spot("a.py", 1, 1, 1, 10), "Name \udcff.")
    assert "  1 | call('\\xff')\n" in text(samples.result(found, sources=sources))


def test_colours_add_nothing_but_colours() -> None:
    for result in (samples.few(), samples.many()):
        assert ANSI.sub("", text(result, color=True)) == text(result)


def test_no_line_of_prose_is_wider_than_the_terminal() -> None:
    assert max(map(width, text(samples.many(), columns=80).splitlines())) <= 80


@given(st.text(), st.integers(1, 60), st.integers(0, 40), st.integers(20, 120))
def test_any_line_and_span_can_be_shown(line: str, column: int, length: int, columns: int) -> None:
    found = samples.found("untimed-job", Spot("a.py", 1, column, 1, column + length), line)
    shown = text(samples.result(found, sources={"a.py": line.encode("utf-8", "surrogatepass")}), columns=columns)
    assert all(one.isprintable() for one in shown.splitlines())


@pytest.mark.parametrize(
    ("prose", "first"),
    [
        ("One. Two.", "One."),
        ("A job, e.g. `x`, hangs. Two.", "A job, e.g. `x`, hangs."),
        ("It takes 1.5 s\nor more. `x` is next.", "It takes 1.5 s or more."),
        ("See [the docs](https://x.y/z) *and* **more**. Then `a*b*c`.", "See the docs and more."),
        ("No end\n\nSecond paragraph.", "No end"),
    ],
)
def test_the_first_sentence_of_a_page(prose: str, first: str) -> None:
    assert first_sentence(prose) == first


def test_an_underline_up_to_the_edge_leaves_no_empty_line() -> None:
    assert len(snippet("x = call(" + "1, " * 40 + ")", "call(" + "1, " * 40 + ")", columns=60)) == 2


def test_words_below_an_underline_at_the_right_edge_end_at_the_edge() -> None:
    shown = snippet("x" * 50 + "call()", "call()", columns=64, words="it is switched off here")
    assert shown[2].strip() == "| " + " " * 35 + "it is switched off here"


def test_a_place_in_a_blank_line_has_no_excerpt() -> None:
    found = samples.found("untimed-job", Spot("a.py", 1, 1, 1, 1), "It was passed over.")
    shown = text(samples.result(found, sources={"a.py": b""})).splitlines()
    assert shown[1:3] == ["  It was passed over.", "  fix: Mend it."]


def test_a_run_over_nothing_does_not_praise() -> None:
    assert text(samples.result(summary=Summary())) == "Nothing was looked at.\n"
