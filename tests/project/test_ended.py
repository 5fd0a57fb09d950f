"""Projects that are deep, round or long: the run ends in time, and says where a search stopped at a limit."""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec
import pytest

from guardrails.lint import lint_texts
from guardrails.report import json_, text
from guardrails.report.view import View
from guardrails.result import Result

JOB = "import requests\nfrom celery import shared_task\n\n\n"
STARTS = "@shared_task(time_limit=300)\ndef sync(url):\n    {}(url)\n"


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 10


def calls(depth: int) -> str:
    """A job that reaches an unbounded wait through so many functions."""
    links = [f"def step{number}(url):\n    step{number - 1}(url)\n" for number in range(1, depth + 1)]
    return "\n".join([JOB, "def step0(url):\n    requests.get(url)\n", *links, STARTS.format(f"step{depth}")])


def spread(depth: int) -> dict[str, str]:
    """The same with each function in a file of its own."""
    files = {"shop/step0.py": "import requests\n\n\ndef step0(url):\n    requests.get(url)\n"}
    for number in range(1, depth + 1):
        before = f"step{number - 1}"
        files[f"shop/step{number}.py"] = f"from shop.{before} import {before}\n\n\ndef step{number}(url):\n    {before}(url)\n"
    last = f"step{depth}"
    return {**files, "shop/tasks.py": f"from celery import shared_task\nfrom shop.{last} import {last}\n\n\n{STARTS.format(last)}"}


def decorators(depth: int) -> str:
    """A job whose decorator is wrapped in so many functions."""
    links = [f"def wrap{number}(**options):\n    return wrap{number - 1}(**options)\n" for number in range(1, depth + 1)]
    return "\n".join(
        [JOB, "def wrap0(**options):\n    return shared_task(**options)\n", *links, f"@wrap{depth}()\ndef sync():\n    work()\n"]
    )


def wrappers(depth: int) -> str:
    """An enqueue that is wrapped in so many functions."""
    links = [f"def put{number}(job, row):\n    put{number - 1}(job, row)\n" for number in range(1, depth + 1)]
    head = "from django.db import models\nfrom rq import Queue\n\nqueue = Queue()\n\n\nclass Order(models.Model):\n    pass\n"
    put = "def put0(job, row):\n    queue.enqueue(job, row)\n"
    return "\n".join([head, put, *links, f"def start(order_id):\n    put{depth}(send, Order.objects.get(pk=order_id))\n"])


def bases(depth: int) -> str:
    """A job class so many classes below the framework's, with the limit on the last of them."""
    links = [f"class Base{number}(Base{number - 1}):\n    pass\n" for number in range(1, depth + 1)]
    head = "from celery import Celery, Task\n\napp = Celery('shop')\n\n\nclass Base0(Task):\n    {}\n"
    return "\n".join([head, *links, f"class Sync(Base{depth}):\n    def run(self):\n        work()\n"])


def rules(result: Result) -> list[str]:
    return [found.rule for found in result.findings]


def ended(result: Result) -> list[tuple[int, str]]:
    return [(one.spot.line, one.message) for one in result.unknown if not one.rule]


def test_a_chain_of_forty_calls_is_followed() -> None:
    result = lint_texts({"shop/tasks.py": calls(40)})
    assert rules(result) == ["untimed-call"]
    assert result.summary.ended == 0


def test_a_chain_of_forty_files_is_followed() -> None:
    result = lint_texts(spread(40))
    assert rules(result) == ["untimed-call"]
    assert result.summary.ended == 0


@pytest.mark.parametrize("files", [{"shop/tasks.py": calls(100)}, spread(100)], ids=["in one file", "in a hundred files"])
def test_a_chain_of_a_hundred_calls_is_said_to_be_too_long(files: dict[str, str]) -> None:
    result = lint_texts(files)
    assert rules(result) == []
    assert result.summary.ended == 1
    assert [message for _, message in ended(result)] == ["What runs `step64` was not looked for: calls are followed 64 steps up."]


def test_a_search_that_ends_by_itself_is_not_spoken_of() -> None:
    assert ended(lint_texts({"shop/tasks.py": calls(63)})) == []


def test_mutual_recursion_is_followed_once() -> None:
    round_about = "def even(url):\n    requests.get(url)\n    odd(url)\n\n\ndef odd(url):\n    even(url)\n\n\n"
    result = lint_texts({"shop/tasks.py": JOB + round_about + STARTS.format("odd")})
    assert rules(result) == ["untimed-call"]
    assert result.summary.ended == 0


def test_files_that_import_each_other_are_followed_once() -> None:
    one = "import requests\nfrom shop.other import *\nfrom shop.other import back\n\n\n"
    one += "def fetch(url):\n    requests.get(url)\n    back(url)\n"
    other = f"from celery import shared_task\nfrom shop.one import *\nfrom shop.one import fetch\n\n\n{STARTS.format('back')}\n\n"
    result = lint_texts({"shop/one.py": one, "shop/other.py": other + "def back(url):\n    fetch(url)\n"})
    assert rules(result) == ["untimed-call"]
    assert result.summary.ended == 0


def test_a_decorator_in_twenty_wrappers_makes_a_job() -> None:
    result = lint_texts({"shop/tasks.py": decorators(20)})
    assert result.summary.jobs == 1
    assert result.summary.ended == 0


@pytest.mark.parametrize("depth", [40, 200])
def test_a_decorator_in_more_wrappers_is_said_to_be_unknown(depth: int) -> None:
    result = lint_texts({"shop/tasks.py": decorators(depth)})
    assert result.summary.jobs == 0
    line = 3 * depth + 10
    assert ended(result) == [(line, "What `sync` is was not found out: a decorator or base of it leads through too many other names.")]


def test_an_enqueue_in_ten_wrappers_is_judged() -> None:
    assert rules(lint_texts({"shop/start.py": wrappers(10)})) == ["whole-row-payload"]


def test_an_enqueue_in_forty_wrappers_is_said_to_be_too_deep() -> None:
    result = lint_texts({"shop/start.py": wrappers(40)})
    assert rules(result) == []
    assert result.summary.ended == 1
    assert [message for _, message in ended(result)] == [
        "Who hands work on through this call was not looked for: wrappers of wrappers are followed 16 times."
    ]


def test_a_class_forty_bases_below_the_framework_is_a_job() -> None:
    endless, limited = (lint_texts({"shop/tasks.py": bases(40).format(body)}) for body in ("pass", "time_limit = 60"))
    assert rules(endless) == ["untimed-job"]
    assert rules(limited) == []
    assert endless.summary.ended == limited.summary.ended == 0


def test_a_function_of_ten_thousand_lines_is_judged_to_its_end() -> None:
    lines = [f"    size{number} = measure(size{number - 1})" for number in range(1, 10_000)]
    body = "\n".join(["@shared_task(time_limit=300)", "def sync(size0):", *lines, "    requests.get(size9999)", ""])
    result = lint_texts({"shop/tasks.py": JOB + body})
    assert [(found.rule, found.spot.line) for found in result.findings] == [("untimed-call", 10_006)]


def test_names_that_are_bound_in_a_circle_end() -> None:
    circle = "one = two\ntwo = three\nthree = one\n\n\n@one\ndef sync():\n    work()\n"
    assert lint_texts({"shop/tasks.py": JOB + circle}).summary.jobs == 0


def test_the_document_counts_and_lists_what_ended() -> None:
    document = json_.document(lint_texts({"shop/tasks.py": calls(100)}), View())
    assert document.summary.ended == 1
    assert [(one.rule, one.path) for one in document.unknown] == [("", "shop/tasks.py")]


def test_the_report_for_people_says_it_in_one_sentence() -> None:
    result = lint_texts({"shop/tasks.py": calls(100)})
    view = View(columns=200)
    said = text.render(result, view)
    assert "1 search stopped at a limit, so what lies beyond was not judged; --show-unknown lists it." in said
    assert "could not be judged;" not in said
    listed = text.render(result, msgspec.structs.replace(view, show_unknown=True))
    assert "shop/tasks.py:198:5 What runs `step64` was not looked for" in listed


def test_a_package_that_hands_its_application_on_is_followed() -> None:
    files = {
        "shop/celery.py": "from celery import Celery\n\napp = Celery('shop')\n",
        "shop/__init__.py": "from .celery import app as shop_app\n",
        "shop/mails.py": "from shop import shop_app\n\n\n@shop_app.task\ndef send(order_id):\n    work(order_id)\n",
    }
    assert [(found.rule, found.spot.path) for found in lint_texts(files).findings] == [("untimed-job", "shop/mails.py")]
