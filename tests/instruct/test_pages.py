"""What the rulebook says to one project: examples and remedies of its own frameworks."""

from __future__ import annotations

import pytest

from guardrails import rulebook
from guardrails.instruct.content import CHECKLIST, FIRST, LAST
from guardrails.instruct.pages import entry, is_about, remedy
from guardrails.instruct.seen import Seen, Service, Work

JOBS = frozenset({"celery", "rq", "arq", "dramatiq", "huey", "django_q", "apscheduler"})


def project(*frameworks: str, handlers: bool = True) -> Seen:
    jobs = tuple(Work(name, ("tasks.py",)) for name in frameworks if name in JOBS)
    return Seen(
        services=(Service("", jobs=jobs),), frameworks=frozenset(frameworks), every_job_framework=JOBS, languages=frozenset({"python"}),
        has_handlers=handlers,
    )  # fmt: skip


def test_items_and_rows_of_other_frameworks_are_left_out() -> None:
    items = "Set it:\n\n- Celery: here,\n  and there.\n- RQ and arq: leave it.\n- Huey 3.5: so.\n- By hand: count."
    assert remedy(items, project("rq")) == "Set it:\n\n- RQ and arq: leave it.\n- By hand: count."
    assert remedy(items, project("celery")) == "Set it:\n\n- Celery: here,\n  and there.\n- By hand: count."


def test_a_table_without_rows_is_left_out() -> None:
    table = "Say:\n\n| it | is |\n|---|---|\n| Dramatiq | x |\n\nElse nothing."
    assert remedy(table, project("rq")) == "Say:\n\nElse nothing."
    assert remedy(table, project("dramatiq")) == table


@pytest.mark.parametrize("name", ["celery", "rq", "arq", "dramatiq"])
def test_examples_are_of_the_frameworks_that_the_project_has(name: str) -> None:
    others = {f"import {other}" for other in JOBS - {name}} | {f"from {other}" for other in JOBS - {name}}
    rules = rulebook.load()
    for rule in rules.values():
        if "python" in rule.languages:
            told = entry(rule, project(name), rules, with_fix=True)
            assert told.why
            assert told.fix
            assert not [line for line in told.code.splitlines() if " ".join(line.split(" ")[:2]).partition(".")[0] in others], rule.name


def test_an_example_names_no_rule_that_is_off() -> None:
    rules = rulebook.load()
    assert "guardrails: allow untimed-job" in entry(rules["unjustified-allow"], project("celery"), rules, with_fix=True).code
    rest = {name for name in rules if name != "untimed-job"}
    assert "untimed-job" not in entry(rules["unjustified-allow"], project("celery"), rest, with_fix=True).code


def test_what_needs_a_handler_is_not_about_a_project_without_one() -> None:
    webhook = rulebook.load()["unverified-webhook"]
    assert is_about(webhook, project("celery"))
    assert not is_about(webhook, project("celery", handlers=False))


def test_where_nothing_runs_jobs_rules_of_queues_are_not_about_it() -> None:
    rules = rulebook.load()
    assert is_about(rules["dangling-task"], project("asyncio"))
    assert not is_about(rules["untimed-job"], project("asyncio"))


def test_the_rules_that_come_first_are_rules() -> None:
    assert {*FIRST, *LAST, CHECKLIST} <= set(rulebook.load())
