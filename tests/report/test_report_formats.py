"""The reports for other tools and readers: gitlab, junit, markdown, agent."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
import report_samples as samples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from guardrails import report
from guardrails.report import agent, markdown
from guardrails.report.view import View
from guardrails.result import Remark, Result, Spot

RESULTS = {
    "few": samples.few, "many": samples.many, "clean": samples.result, "compared": samples.compared, "hostile": samples.hostile,
    "crowd": samples.crowd,
}  # fmt: skip
AGENT = re.compile(r"\S.*:\d+ [a-z-]+ .+ \| fix: .+ \| guardrails explain [a-z-]+")


def rendered(form: str, result: Result, **view: Any) -> str:
    return report.render(form, result, View(rules=samples.RULES, **view))


def suites(result: Result) -> ElementTree.Element:
    return ElementTree.fromstring(rendered("junit", result))


WORDS = st.text(st.characters() | st.sampled_from("<>&\"'`|*_[]()\n\r\t\x00\x1b\u202e\udcff{}%"), max_size=60)


@settings(max_examples=60, deadline=None)
@example("\ud800", "", "", "")
@given(WORDS, WORDS, WORDS, WORDS)
def test_no_text_breaks_a_report(path: str, message: str, fix: str, subject: str) -> None:
    found = samples.found("untimed-job", Spot(path, 1, 1, 1, 4), message, fix=fix, subject=subject, cause=subject)
    result = samples.result(found, sources={path: message.encode("utf-8", "surrogatepass")}, known=(found,), compared=subject)
    shown = {form: rendered(form, result) for form in report.FORMATS}
    for form, text in shown.items():
        text.encode()
        assert not set(text) & set("\x00\x1b\u202e"), form
    ElementTree.fromstring(shown["junit"])
    for form in ("json", "gitlab", "sarif"):
        json.loads(shown[form])
    assert len(shown["agent"].splitlines()) == 4


# gitlab


@pytest.mark.parametrize("name", RESULTS)
def test_gitlab_has_what_code_quality_asks_for(name: str) -> None:
    result = RESULTS[name]()
    issues = json.loads(rendered("gitlab", result))
    for issue in issues:
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert isinstance(issue["description"], str)
        assert isinstance(issue["check_name"], str)
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith(("/", "./"))
    marks = [issue["fingerprint"] for issue in issues]
    assert len(marks) == len(set(marks))
    assert len(marks) >= len(result.findings)


def test_gitlab_keeps_fingerprints_and_parts_equal_ones() -> None:
    twice = samples.result(samples.untimed(), samples.untimed(), samples.untimed())
    first, second, third = (issue["fingerprint"] for issue in json.loads(rendered("gitlab", twice)))
    assert first == samples.untimed().fingerprint
    assert len({first, second, third}) == 3


def test_gitlab_shows_unreadable_files_at_their_first_line() -> None:
    gone = samples.result(unreadable=(Remark(Spot("gone.py", 0, 0, 0, 0), "permission denied"),))
    [issue] = json.loads(rendered("gitlab", gone))
    assert (issue["location"]["lines"]["begin"], issue["check_name"]) == (1, "unreadable-file")


def test_a_clean_gitlab_report_is_an_empty_list() -> None:
    assert json.loads(rendered("gitlab", samples.result())) == []


# junit


@pytest.mark.parametrize("name", RESULTS)
def test_junit_counts_what_it_holds(name: str) -> None:
    root = suites(RESULTS[name]())
    for element in (root, *root.iter("testsuite")):
        cases = list(element.iter("testcase"))
        assert int(element.attrib["tests"]) == len(cases) > 0
        for attribute, outcome in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[attribute]) == len([case for case in cases if case.find(outcome) is not None])
    names = [(case.attrib["classname"], case.attrib["name"]) for case in root.iter("testcase")]
    assert len(names) == len(set(names))


def test_junit_fails_a_case_a_finding() -> None:
    root = suites(samples.few())
    case = root.find("testsuite[@name='shop/tasks.py']/testcase")
    assert case is not None
    assert case.attrib == {
        "classname": "shop/tasks.py",
        "name": "untimed-job: charge_card",
        "time": "0",
        "file": "shop/tasks.py",
        "line": "5",
    }
    failure = case.find("failure")
    assert failure is not None
    assert failure.attrib["type"] == "error"
    assert failure.text is not None
    assert "shop/celery.py:1: this app sets no task_time_limit\nfix: Set `task_time_limit=300`" in failure.text


def test_junit_skips_what_is_known_or_allowed() -> None:
    reasons = [one.attrib["message"] for one in suites(samples.compared()).iter("skipped")]
    assert reasons == ["known: the baseline", "known: the baseline", "allowed: the outbox sends it again"]


def test_a_clean_junit_report_holds_a_case_that_passed() -> None:
    [case] = suites(samples.result()).iter("testcase")
    assert case.attrib["name"] == "no unsafe worker code"
    assert list(case) == []


# markdown


def test_markdown_has_a_table_and_a_list() -> None:
    shown = rendered("markdown", samples.few())
    assert shown.startswith("## guardrails: Found 3 errors and 1 warning in 2 files.\n\n| rule | findings | files |\n|---|---|---|\n")
    assert "| `untimed-job` | 2 errors | 1 |" in shown
    assert (
        "### `untimed-job`\n\nA job that never ends holds its worker slot.\n\n- **error** `shop/tasks.py:5`: Job `charge_card` has" in shown
    )
    assert "  - also, with the same cause: `shop/tasks.py:11`" in shown


@pytest.mark.parametrize("name", RESULTS)
def test_markdown_fits_into_a_comment(name: str) -> None:
    shown = rendered("markdown", RESULTS[name]())
    assert len(shown) <= markdown.LONGEST
    assert len(shown.encode()) <= 65_536


def test_markdown_counts_what_found_no_room() -> None:
    shown = rendered("markdown", samples.crowd())
    listed = shown.count("- **error**")
    assert f"{2_000 - listed:,} more findings not listed: there is no room here." in shown
    assert shown.rstrip().endswith("(celery, fastapi).\nPassed over 3 files: 2 binary, 1 over 2 MB.")


def test_hostile_text_stays_text_in_markdown() -> None:
    shown = rendered("markdown", samples.hostile())
    html = MarkdownIt("gfm-like", {"linkify": False, "html": True}).render(shown)
    for tag in re.findall(r"<(?!!--)/?\s*(\w+)", html):
        assert tag in ("h2", "h3", "p", "ul", "li", "strong", "code", "table", "thead", "tbody", "tr", "th", "td")
    plain = re.sub(r"<code>.*?</code>", "", html)
    assert "javascript:alert(3)" in plain.replace("<!-- -->", "")
    assert not re.search(r"@you|#1|https://", plain)
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("text", ["a", "`", "``", "a`b", " ", "`a", "a``b`", "\\"])
def test_a_code_span_holds_just_its_text(text: str) -> None:
    html = MarkdownIt("commonmark").renderInline(markdown.code(text))
    assert re.fullmatch(r"<code>(.*)</code>", html)
    assert html[6:-7] in (text, f" {text} ")


# agent


def test_agent_lines_have_the_promised_shape() -> None:
    lines = rendered("agent", samples.few()).splitlines()
    causes = [line for line in lines if " | guardrails explain " in line]
    assert all(AGENT.fullmatch(line) for line in causes)
    assert [line.split()[1] for line in causes] == ["untimed-job", "missing-idempotency-key", "fire-and-forget-spawn"]
    assert "(same cause: shop/tasks.py:11)" in lines[0]


@pytest.mark.parametrize("name", RESULTS)
def test_agent_output_is_capped(name: str) -> None:
    shown = rendered("agent", RESULTS[name]())
    assert len(shown.encode()) < agent.BYTES + 2_000
    assert len(shown.splitlines()) <= agent.LINES + 6


def test_agent_says_what_is_left_out_and_how_to_see_it() -> None:
    shown = rendered("agent", samples.crowd(), again="guardrails check shop")
    assert f"{2_000 - agent.LINES:,} more findings not listed; mend these first, or: guardrails check shop --format agent --select" in shown


def test_agent_output_of_a_clean_run_is_one_line() -> None:
    assert rendered("agent", samples.result()) == "No unsafe worker code found.\n"


def test_hostile_text_makes_no_line_of_its_own_for_an_agent() -> None:
    lines = rendered("agent", samples.hostile()).splitlines()
    assert len([line for line in lines if "explain" in line]) == 2
    assert not any(line.startswith("::error") for line in lines)
    assert not any("\x1b" in line for line in lines)
