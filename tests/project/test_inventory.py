"""The inventory: every job with its settings and where they stand, and everything that starts it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from guardrails import lint
from guardrails.inventory import Edge, Inventory, Job, Node

SHOP = {
    "shop/app.py": "from celery import Celery\napp = Celery('shop')\napp.conf.task_time_limit = 600\n",
    "shop/tasks.py": """from celery import shared_task

@shared_task(time_limit=60, queue="mail")
def send(order_id):
    print(order_id)

@shared_task(bind=True, autoretry_for=(OSError,), max_retries=5, retry_backoff=True)
def settle(self, order_id):
    send.delay(order_id)

@shared_task
def tidy():
    pass
""",
    "shop/beat.py": """from celery.schedules import crontab
CELERY_BEAT_SCHEDULE = {"tidy": {"task": "shop.tasks.tidy", "schedule": crontab(minute=5)}}
""",
    "shop/orders.py": """from shop.tasks import settle

def place(order):
    settle.apply_async(args=[order.pk], queue="urgent")
""",
    "shop/api.py": """from fastapi import APIRouter
from shop.orders import place
router = APIRouter()

@router.post("/orders")
def create(order):
    place(order)

@router.get("/orders")
def listing():
    return []
""",
    "shop/cli.py": "from shop.orders import place\n\ndef backfill():\n    for order in range(3):\n        place(order)\n",
}


def survey(folder: Path, files: dict[str, str], *paths: str) -> Inventory:
    (folder / "pyproject.toml").write_text("[tool.guardrails]\n")
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    request = lint.prepare([folder / path for path in paths] or [folder])
    found = lint.lint(msgspec.structs.replace(request, survey=True, checks=False, cached=False)).inventory
    assert found is not None
    return found


def job(found: Inventory, name: str) -> Job:
    return next(one for one in found.jobs if one.name.rpartition(".")[2] == name)


def starts(found: Inventory, node: Node) -> list[tuple[str, str]]:
    names = {one.id: one.name for one in found.nodes()}
    return sorted((edge.kind, names[edge.source]) for edge in found.by_target().get(node.id, ()))


@pytest.fixture
def shop(tmp_path: Path) -> Inventory:
    return survey(tmp_path, SHOP)


def test_a_plain_run_takes_no_inventory(tmp_path):
    survey(tmp_path, SHOP)
    assert lint.lint(lint.prepare([tmp_path])).inventory is None


def test_a_limit_says_whether_it_stands_on_the_job_or_in_the_settings(shop):
    own, far = job(shop, "send").limit, job(shop, "tidy").limit
    assert (own.words, own.source, own.number) == ("60 s", "job", 60)
    assert own.at is not None
    assert (own.at.path, own.at.line) == ("shop/tasks.py", 3)
    assert (far.words, far.source) == ("10 min", "settings")
    assert far.at is not None
    assert (far.at.path, far.at.line) == ("shop/app.py", 3)


def test_a_default_names_who_documents_it(tmp_path):
    files = {"t.py": "import dramatiq\n\n@dramatiq.actor\ndef work():\n    print(1)\n"}
    limit = job(survey(tmp_path, files), "work").limit
    assert (limit.words, limit.source) == ("10 min", "framework")
    assert limit.why


def test_a_limit_that_is_only_known_at_run_time_says_why(tmp_path):
    text = (
        "import os\nfrom celery import Celery\napp = Celery('a')\n\n@app.task(time_limit=int(os.environ['L']))\ndef work():\n    print(1)\n"
    )
    limit = job(survey(tmp_path, {"t.py": text}), "work").limit
    assert (limit.words, limit.source, limit.number) == ("set", "unknown", None)
    assert "run" in limit.why


def test_retries_and_their_pace_are_told(shop):
    assert job(shop, "settle").retries.words == "5 (growing)"
    assert job(shop, "settle").retries.number == 5
    assert job(shop, "tidy").retries.number == 0


def test_a_queue_comes_from_the_job_from_its_enqueues_or_by_default(shop):
    assert (job(shop, "send").queue.words, job(shop, "send").queue.source) == ("mail", "job")
    assert (job(shop, "tidy").queue.words, job(shop, "tidy").queue.source) == ("celery", "framework")
    assert (job(shop, "settle").queue.words, job(shop, "settle").queue.source) == ("celery or urgent", "varies")


def test_rq_names_its_queue_where_the_queue_is_made(tmp_path):
    text = (
        "from rq import Queue\nfrom work import ship\nqueue = Queue('parcels', connection=None)\n\ndef go():\n    queue.enqueue(ship, 1)\n"
    )
    found = survey(tmp_path, {"work.py": "def ship(n):\n    print(n)\n", "go.py": text})
    assert job(found, "ship").queue.words == "parcels"
    assert job(found, "ship").at.path == "work.py"


def test_handlers_jobs_schedules_and_functions_that_nobody_calls_start_jobs(shop):
    assert starts(shop, job(shop, "settle")) == [("enqueues", "backfill"), ("enqueues", "create")]
    assert starts(shop, job(shop, "send")) == [("enqueues", "settle")]
    assert [kind for kind, _ in starts(shop, job(shop, "tidy"))] == ["schedules"]
    assert shop.schedules[0].when == "crontab(minute=5)"


def test_an_edge_tells_the_way_the_place_and_the_queue(shop):
    create = next(one for one in shop.handlers if one.name == "create")
    [edge] = shop.by_source()[create.id]
    assert isinstance(edge, Edge)
    assert (edge.at.path, edge.at.line, edge.queue) == ("shop/orders.py", 4, "urgent")


def test_handlers_that_start_nothing_are_counted_and_not_shown(shop):
    assert [one.name for one in shop.handlers] == ["create"]
    assert shop.all_handlers == 2


def test_a_job_that_is_only_named_here_stands_elsewhere(tmp_path):
    text = "from celery import Celery\napp = Celery('a')\n\ndef go():\n    app.send_task('other.service.work')\n"
    found = survey(tmp_path, {"go.py": text})
    assert [one.name for one in found.elsewhere] == ["other.service.work"]
    assert starts(found, found.elsewhere[0]) == [("enqueues", "go")]


def test_a_wrapper_is_no_job_of_its_own(tmp_path):
    text = """from celery import shared_task

@shared_task
def work(pk):
    print(pk)

def dispatch(task, *args):
    task.delay(*args)

def caller():
    dispatch(work, 1)
"""
    found = survey(tmp_path, {"t.py": text})
    assert "dispatch" not in [one.name for one in found.elsewhere]


def test_spawned_work_is_shown_with_who_spawns_it(tmp_path):
    text = "import threading\n\ndef go():\n    threading.Thread(target=count).start()\n\ndef count():\n    pass\n"
    [spawn] = survey(tmp_path, {"t.py": text}).spawns
    assert (spawn.kind, spawn.name) == ("thread", "count")


def test_named_files_show_their_jobs_and_who_starts_them_from_elsewhere(tmp_path):
    found = survey(tmp_path, SHOP, "shop/tasks.py")
    assert {one.name for one in found.jobs} == {"send", "settle", "tidy"}
    assert [one.name for one in found.handlers] == ["create"]
    assert survey(tmp_path, SHOP, "shop/cli.py").handlers == ()


def test_every_edge_ends_at_nodes_and_ids_are_unique(shop):
    ids = [one.id for one in shop.nodes()]
    assert len(ids) == len(set(ids))
    assert {end for edge in shop.edges for end in (edge.source, edge.target)} <= set(ids)


def test_two_runs_say_the_same(tmp_path):
    assert survey(tmp_path, SHOP) == survey(tmp_path, SHOP)


OWN = """from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import Retry, SecretRef

class Paid(BaseModel):
    order_id: int

@runtime.job(timeout=60, key=lambda p: str(p.order_id), queue="orders", retry=Retry(5, first=2.0))
def settle(p: Paid) -> None:
    charge(p.order_id)

paid = runtime.signature.stripe(SecretRef("PAID"))
runtime.webhook("/hooks/paid", verify=paid, job=settle, payload=lambda event: Paid(order_id=event["order"]))
runtime.schedule("again", "0 2 * * *", settle, payload=lambda tick: Paid(order_id=tick.day))
"""


def test_a_job_of_our_own_runtime_with_its_webhook_and_its_schedule(tmp_path: Path) -> None:
    found = survey(tmp_path, {"shop/jobs.py": OWN})
    settle = job(found, "settle")
    assert (settle.limit.number, settle.retries.number, settle.queue.words) == (60, 4, "orders")
    assert starts(found, settle) == [("enqueues", "webhook"), ("schedules", "settle")]
    assert [(one.route, one.methods) for one in found.handlers] == [("/hooks/paid", ("POST",))]
    assert found.all_handlers == 1


def test_the_runtime_s_public_names_are_the_model_s_where_its_own_source_is_in_the_project_too(tmp_path: Path) -> None:
    source = {
        "guardrails/__init__.py": "",
        "guardrails/runtime/__init__.py": "from guardrails.runtime.declare import job as job\n",
        "guardrails/runtime/declare.py": "def job(*, timeout, key, queue='default', retry=None):\n    return lambda body: body\n",
        "guardrails/runtime/targets.py": "from guardrails.runtime.declare import job\n@job(timeout=5, key=str)\ndef inner(p):\n    pass\n",
    }
    found = survey(tmp_path, {**source, "shop/jobs.py": OWN})
    assert [one.name for one in found.jobs] == ["settle"]
