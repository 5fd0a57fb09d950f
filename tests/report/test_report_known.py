"""What a baseline or a base holds is told, and told apart."""

from __future__ import annotations

import msgspec
import pytest
import report_samples as samples

from guardrails import report
from guardrails.report.view import View
from guardrails.result import Result


def told(result: Result, form: str = "text") -> str:
    return report.render(form, result, View(rules=samples.RULES))


def test_text_says_how_many_are_known_and_to_whom() -> None:
    shown = told(samples.compared())
    assert "New: 1 error in 1 file.\n" in shown
    assert "2 known findings are not shown (the baseline); --no-baseline tells them, too.\n" in shown
    assert "error untimed-job" not in shown


def test_text_names_entries_of_a_baseline_that_match_nothing() -> None:
    shown = " ".join(told(samples.compared()).split())
    assert "3 entries of the baseline match nothing any more: shop/old.py: untimed-job in send, shop/old.py: secret-in-log and" in shown
    assert "`guardrails baseline prune` takes them out." in shown


def test_one_known_finding_and_one_stale_entry_are_singular() -> None:
    one = msgspec.structs.replace(samples.compared(), known=(samples.untimed(),), stale=("a.py: untimed-job",))
    shown = told(one)
    assert "1 known finding is not shown (the baseline); --no-baseline tells it, too." in shown
    assert "1 entry of the baseline matches nothing any more: a.py: untimed-job." in " ".join(shown.split())


def test_many_stale_entries_are_cut_short() -> None:
    many = msgspec.structs.replace(samples.compared(), stale=tuple(f"a.py: rule-{number:02}" for number in range(1_205)))
    shown = " ".join(told(many).split())
    assert "1,205 entries" in shown
    assert "rule-04 and 1,200 more." in shown
    assert "rule-05" not in shown


def test_a_run_with_nothing_new_does_not_say_that_nothing_is_there() -> None:
    nothing = samples.result(known=(samples.untimed(),), compared="the baseline")
    assert told(nothing).startswith("No new unsafe worker code found.\n")
    assert told(samples.result(compared="the baseline")).startswith("No unsafe worker code found.\n")


@pytest.mark.parametrize("form", ["text", "agent", "markdown", "html", "github", "junit"])
def test_every_report_for_readers_counts_what_is_known(form: str) -> None:
    where = "listed below" if form == "html" else "not shown"
    assert f"2 known findings are {where} (the baseline)" in told(samples.compared(), form)


@pytest.mark.parametrize("form", ["github", "gitlab", "agent"])
def test_reports_that_gate_hold_only_what_is_new(form: str) -> None:
    shown = told(samples.compared(), form)
    assert "missing-idempotency-key" in shown
    assert "send_receipt" not in shown


def test_without_a_comparison_nothing_is_said_of_one() -> None:
    assert "known finding" not in told(samples.few())
    assert "baseline" not in told(samples.few())
