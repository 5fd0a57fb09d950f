"""What holds for every project: no input crashes a run, and neither the order of files nor blank lines change what is said."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.lint import lint_texts
from guardrails.result import Result

SHOP = {
    "shop/__init__.py": "",
    "shop/celery.py": 'from celery import Celery\n\napp = Celery("shop")\n',
    "shop/tasks.py": (
        "import logging\n\nfrom shop.celery import app\n\nlogger = logging.getLogger(__name__)\n\n\n"
        "@app.task(bind=True, acks_late=True)\ndef charge(self, order_id, token):\n"
        '    logger.info("charging %s with %s", order_id, token)\n    mail.delay(order_id)\n\n\n'
        "@app.task\ndef mail(order_id):\n    send(order_id)\n"
    ),
    "shop/helpers.py": (
        "import asyncio\n\n\ndef notify(order):\n    asyncio.create_task(push(order))\n\n\nasync def push(order):\n    ...\n"
    ),
    "shop/api.py": (
        "from fastapi import BackgroundTasks, FastAPI\n\nfrom shop.helpers import notify\nfrom shop.tasks import charge\n\n"
        "api = FastAPI()\n\n\n"
        '@api.post("/webhooks/pay")\nasync def pay(event: dict, tasks: BackgroundTasks):\n'
        '    charge.delay(event["order"], event["token"])\n    tasks.add_task(send_receipt, event)\n    notify(event)\n\n\n'
        "def send_receipt(event):\n    ...\n"
    ),
    "shop/exports.py": (
        "from rq import Queue\n\nqueue = Queue()\n\n\ndef export(report_id):\n    ...\n\n\n"
        "def start(report_id):\n    queue.enqueue(export, report_id, job_timeout=-1)\n"
    ),
}
FRAGMENTS = (
    "def f(a, *b, **c):",
    "class A(Task):",
    "@app.task(",
    "@shared_task",
    ")",
    "(",
    "[",
    "{",
    "}",
    ":",
    "\n",
    "\n    ",
    "\n        ",
    "async ",
    "await ",
    "from celery import shared_task\n",
    "import rq, asyncio\n",
    "from . import x\n",
    "f.delay(x)",
    "asyncio.create_task(f())",
    "self.retry()",
    "lambda: ",
    "queue.enqueue(f, **opts)",
    'logger.info(f"{token}")',
    "x = ",
    "'",
    '"""',
    "#",
    "# guardrails: allow untimed-job -- because\n",
    "\\",
    "\t",
    "é",
    "\0",
    "with a as b:",
    "try:",
    "except A, B:",
    "finally:",
    "return ",
    "yield ",
    "if x:",
    "else:",
    "for i in x:",
    "print(password)",
    "*",
    "**",
    "=",
    ",",
)


def told(result: Result) -> list[tuple[str, str, str]]:
    """What is said, without the lines."""
    return sorted((found.rule, found.spot.path, found.fingerprint) for found in result.findings)


def test_the_shop_of_these_tests_has_every_fault() -> None:
    assert {found.rule for found in lint_texts(SHOP).findings} == {
        "untimed-job", "secret-in-log", "missing-idempotency-key", "fire-and-forget-spawn", "secret-in-payload", "unverified-webhook",
    }  # fmt: skip


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_bytes_as_a_python_file_are_no_crash(content: bytes) -> None:
    lint_texts({**SHOP, "shop/odd.py": b"import celery\n" + content})


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=60))
@settings(max_examples=80, deadline=None)
def test_a_soup_of_worker_code_is_no_crash(words: list[str]) -> None:
    lint_texts({"soup.py": "from celery import Celery\napp = Celery()\n" + "".join(words)})


@given(st.sampled_from(["worker.ts", "worker.tsx", "worker.js", "worker.rs"]), st.binary(max_size=300))
@settings(max_examples=40, deadline=None)
def test_any_bytes_in_another_language_are_no_crash(name: str, content: bytes) -> None:
    lint_texts({name: b"// bullmq tokio::spawn\n" + content})


@given(st.randoms(use_true_random=False))
@settings(max_examples=12, deadline=None)
def test_the_order_of_files_changes_nothing(shuffle: random.Random) -> None:
    names = list(SHOP)
    shuffle.shuffle(names)
    assert lint_texts({name: SHOP[name] for name in names}).findings == lint_texts(SHOP).findings


def test_two_runs_say_the_same() -> None:
    assert lint_texts(SHOP) == lint_texts(SHOP)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_blank_lines_and_comments_change_no_fingerprint(data: st.DataObject) -> None:
    formatted = {path: _formatted(text, data) for path, text in SHOP.items()}
    assert told(lint_texts(formatted)) == told(lint_texts(SHOP))


def _formatted(text: str, data: st.DataObject) -> str:
    """The same code with comments and blank lines between its lines."""
    lines = []
    for line in text.splitlines():
        if data.draw(st.booleans()):
            lines.append(data.draw(st.sampled_from(["", "# a remark", "    # an indented remark"])))
        lines.append(line)
    return "\n".join([*lines, ""])
