"""A project's own helpers, named in its configuration, count as what they are named."""

from __future__ import annotations

import pytest

from guardrails.config import Config
from guardrails.lint import lint_texts

HELPERS = """
def later(work, *args):
    POOL.run(work, args)


def hand_over(job, *args):
    BUS.put(job, args)


def only_once(key):
    return STORE.take(key)


def look_at(request):
    return STORE.ask(request)
"""
START = """
from fastapi import FastAPI, Request
from celery import Celery

from shop import helpers

web = FastAPI()
app = Celery("shop")
app.conf.task_time_limit = 60


@app.task
def settle(order_id: int) -> None: ...


"""
SPAWN = """
@web.post("/orders")
async def create(order_id: int) -> dict[str, int]:
    helpers.later(settle, order_id)
    return {"id": order_id}
"""
ENQUEUE = """
@web.post("/orders")
async def create(order: Request) -> dict[str, int]:
    helpers.hand_over(settle, order)
    return {"id": 1}
"""
GUARD = """
@web.post("/webhook")
async def carrier_webhook(request: Request) -> None:
    helpers.look_at(request)
    event = await request.json()
    {guard}settle.delay(event["order_id"])
"""


def rules(body: str, **settings: tuple[str, ...]) -> set[str]:
    files = {"shop/helpers.py": HELPERS, "shop/web.py": START + body}
    return {found.rule for found in lint_texts(files, Config(tests="report", **settings)).findings}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "setting", "helper", "rule", "told"),
    [
        (SPAWN, "spawn_helpers", "shop.helpers.later", "fire-and-forget-spawn", True),
        (ENQUEUE, "enqueue_helpers", "shop.helpers.hand_over", "whole-row-payload", True),
        (GUARD.format(guard="helpers.only_once(event)\n    "), "guard_helpers", "shop.helpers.only_once", "missing-idempotency-key", False),
        (GUARD.format(guard=""), "verify_helpers", "shop.helpers.look_at", "unverified-webhook", False),
    ],
)  # fmt: skip
def test_a_helper_that_is_named_counts(body: str, setting: str, helper: str, rule: str, told: bool) -> None:
    assert (rule in rules(body)) is not told
    assert (rule in rules(body, **{setting: (helper,)})) is told
