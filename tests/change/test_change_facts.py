"""What a change does to jobs and guardrails, on projects in memory: the cases that pages would be too long for."""

from __future__ import annotations

import pytest

from guardrails import baseline
from guardrails.lint import lint_texts
from guardrails.result import Found

JOB = """from celery import shared_task


@shared_task(time_limit=60)
def settle({}):
    charge(order_id)


def pay(order):
    settle.delay({})
"""
TEST = {"tests/test_tasks.py": "from shop.tasks import settle\n"}


def told(before: dict[str, str], after: dict[str, str], rule: str) -> list[Found]:
    result = lint_texts({**TEST, **after}, before={**TEST, **before})
    return [one for one in result.findings if one.rule == rule]


def lost(old: str, new: str, sent: str = "order.pk") -> list[str]:
    before, after = ({"shop/tasks.py": JOB.format(params, sent)} for params in (old, new))
    return [one.message for one in told(before, after, "incompatible-job-change")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("order_id", "order_id, currency=None"),
        ("order_id", "order_id, **more"),
        ("order_id, currency='EUR'", "order_id"),  # nobody sent it
        ("order_id", "number"),  # sent by place
        ("self, order_id", "order_id"),  # the framework gives the first
    ],
)
def test_compatible_parameters(old: str, new: str) -> None:
    assert lost(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "sent", "words"),
    [
        ("order_id", "order_id, currency", "order.pk", "needs `currency`"),
        ("order_id, currency", "order_id", "order.pk, 'EUR'", "no longer takes `currency`"),
        ("order_id, currency='EUR'", "order_id", "order.pk, currency='USD'", "no longer takes `currency`"),
        ("order_id", "number", "order_id=order.pk", "no longer takes `order_id` by that name"),
    ],
)
def test_incompatible_parameters(old: str, new: str, sent: str, words: str) -> None:
    (message,) = lost(old, new, sent)
    assert words in message


SCHEMA = """from pydantic import BaseModel
from taskiq import InMemoryBroker

broker = InMemoryBroker()


class Order(BaseModel):
    pk: int
{}

@broker.task(timeout=60)
async def settle(order: Order):
    await charge(order)
"""


def test_a_field_of_the_payload_becomes_required() -> None:
    before, after = ({"shop/tasks.py": SCHEMA.format(field)} for field in ("    currency: str = 'EUR'\n", "    currency: str\n"))
    (one,) = told(before, after, "incompatible-job-change")
    assert "`order.currency`" in one.message
    assert told(after, before, "incompatible-job-change") == []


def test_a_function_that_is_no_longer_enqueued_by_path_but_stands_there_is_not_lost() -> None:
    head = "from rq import Queue\n\nqueue = Queue()\n\n\ndef export(pk):\n    work(pk)\n"
    before = {"shop/jobs.py": head + "\n\ndef start(pk):\n    queue.enqueue(export, pk)\n"}
    assert told(before, {"shop/jobs.py": head}, "incompatible-job-change") == []


def test_a_job_whose_file_is_gone_is_told_in_that_file() -> None:
    before = {"shop/tasks.py": JOB.format("order_id", "order.pk"), "shop/other.py": "x = 1\n"}
    (one,) = told(before, {"shop/other.py": "x = 1\n"}, "incompatible-job-change")
    assert (one.spot.path, one.confidence) == ("shop/tasks.py", "high")


def test_jobs_of_one_file_are_one_edit() -> None:
    jobs = "from celery import shared_task\n" + "".join(
        f"\n\n@shared_task(time_limit=9)\ndef job{n}(pk):\n    work(pk)\n" for n in range(9)
    )
    assert told({"shop/tasks.py": jobs}, {"shop/tasks.py": jobs.replace("work(pk)", "work(pk, 1)")}, "sprawling-job-change") == []


TOML = "[tool.guardrails]\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("", 'ignore = ["untimed-job"]', "switches untimed-job off"),
        ("", 'select = ["untimed-job"]', "runs all other rules no longer"),
        ("", '[tool.guardrails.severity]\nuntimed-job = "info"', "lowers untimed-job from error to info"),
        ('fail_on = "warning"', 'fail_on = "never"', "lowers the gate"),
        ('fail_on = "warning"', 'fail_on = "error"', "lowers the gate"),
        ("", 'confidence = "high"', "hides findings below high"),
        ("", 'exclude = ["shop/old/"]', "leaves the files shop/old/ out"),
        ("", '[[tool.guardrails.overrides]]\npaths = ["shop/"]\nignore = ["untimed-job"]', "switches untimed-job off in shop/"),
        ("", 'guard_helpers = ["shop.locks.once"]', "trusts shop.locks.once"),
    ],
)
def test_settings_that_say_less_are_listed_at_their_line(old: str, new: str, words: str) -> None:
    before, after = ({"pyproject.toml": TOML + text + "\n", "shop/a.py": "x = 1\n"} for text in (old, new))
    (one,) = told(before, after, "relaxed-guardrail")
    assert words in one.message
    assert (one.spot.path, one.spot.line > 1) == ("pyproject.toml", True)
    assert told(after, before, "relaxed-guardrail") == []


def test_a_configuration_that_is_new_and_weaker_is_listed() -> None:
    after = {"guardrails.yaml": "ignore: [untimed-job]\n", "shop/a.py": "x = 1\n"}
    (one,) = told({"shop/a.py": "x = 1\n"}, after, "relaxed-guardrail")
    assert (one.spot.path, one.spot.line) == ("guardrails.yaml", 1)


def test_a_baseline_that_grows_is_listed_by_rule() -> None:
    shop = {"shop/tasks.py": JOB.format("order_id", "order.pk")}
    some = lint_texts({"a.py": "from celery import Celery\n\napp = Celery()\n\n\n@app.task\ndef f(pk):\n    work(pk)\n"}).findings
    grown = {**shop, baseline.FILE: baseline.Baseline.of(some).text()}
    (one,) = told(shop, grown, "relaxed-guardrail")
    assert "adds 1 finding of untimed-job to the baseline" in one.message
    assert told(grown, shop, "relaxed-guardrail") == []


def test_a_baseline_that_takes_one_for_another_is_listed() -> None:
    shop = {"shop/tasks.py": JOB.format("order_id", "order.pk")}
    old, new = (
        lint_texts({"a.py": f"from celery import Celery\n\napp = Celery()\n\n\n@app.task\ndef {name}(pk):\n    work(pk)\n"}).findings
        for name in ("mended", "adopted")
    )
    before, after = ({**shop, baseline.FILE: baseline.Baseline.of(some).text()} for some in (old, new))
    (one,) = told(before, after, "relaxed-guardrail")
    assert "adds 1 finding of untimed-job" in one.message


def test_an_allow_comment_that_only_moves_with_its_file_is_not_new() -> None:
    text = "# guardrails: allow untimed-job -- the broker stops it\n" + JOB.format("order_id", "order.pk")
    assert told({"shop/tasks.py": text}, {"shop/tasks.py": "import os\n" + text}, "relaxed-guardrail") == []


def test_old_debt_in_a_touched_line_is_not_new_and_a_deleted_await_is() -> None:
    before = (
        "import asyncio\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
        "@app.post('/x')\nasync def handler():\n    await asyncio.create_task(work())\n"
    )
    after = before.replace("await asyncio", "asyncio")
    assert told({"api.py": before}, {"api.py": after}, "fire-and-forget-spawn") != []
    touched = after.replace("work()", "work(1)").replace("create_task(work(1))", "create_task(work())  # touched")
    assert told({"api.py": after}, {"api.py": touched}, "fire-and-forget-spawn") == []


def test_a_new_caller_makes_findings_in_lines_that_nobody_touched() -> None:
    helper = "import asyncio\n\n\ndef notify():\n    asyncio.create_task(push())\n\n\nasync def push():\n    await send()\n"
    api = (
        "from fastapi import FastAPI\n\nfrom helpers import notify\n\napp = FastAPI()\n\n\n@app.post('/x')\nasync def handler():\n    {}\n"
    )
    before, after = ({"helpers.py": helper, "api.py": api.format(body)} for body in ("return 1", "notify()"))
    (one,) = told(before, after, "fire-and-forget-spawn")
    assert one.spot.path == "helpers.py"


def test_change_rules_are_silent_without_a_change_and_their_allowances_are_not_unused() -> None:
    text = "# guardrails: allow incompatible-job-change -- the queue is drained by hand\n" + JOB.format("order_id", "order.pk")
    assert [
        one.rule for one in lint_texts({"shop/tasks.py": text}).findings if one.rule in ("unused-allow", "incompatible-job-change")
    ] == []
