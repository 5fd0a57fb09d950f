"""Small projects of the kinds that `guardrails init` meets: path to text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CELERY_DJANGO = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["celery", "django"]\n',
    "manage.py": "#!/usr/bin/env python\n",
    "Makefile": "lint:\n\truff check\n\ntest: lint\n\tpython manage.py test\n",
    ".github/CODEOWNERS": "* @shop/all\n",
    "shop/__init__.py": "",
    "shop/settings.py": (
        "from celery.schedules import crontab\n\n"
        "CELERY_TASK_TIME_LIMIT = 300\n"
        'CELERY_BEAT_SCHEDULE = {"nightly": {"task": "shop.orders.tasks.close_day", "schedule": crontab(hour=2)}}\n'
    ),
    "shop/celery.py": 'from celery import Celery\n\napp = Celery("shop")\napp.config_from_object("shop.settings", namespace="CELERY")\n',
    "shop/orders/tasks.py": (
        "from celery import shared_task\n\n\n"
        '@shared_task(queue="billing")\ndef settle_order(order_id: int) -> None:\n    settle(order_id)\n\n\n'
        "@shared_task\ndef close_day() -> None:\n    close()\n"
    ),
    "shop/mail/tasks.py": (
        "from celery import shared_task\n\n\n@shared_task\ndef send_receipt(order_id: int) -> None:\n    deliver(order_id)\n"
    ),
    "shop/orders/views.py": (
        "from django.http import HttpRequest, JsonResponse\nfrom django.views.decorators.http import require_POST\n\n"
        "from shop.orders.tasks import settle_order\n\n\n"
        "@require_POST\ndef settle(request: HttpRequest, order_id: int) -> JsonResponse:\n"
        "    settle_order.delay(order_id)\n    return JsonResponse({})\n"
    ),
    "shop/orders/tests/test_tasks.py": (
        "from django.test import TestCase\n\nfrom shop.orders.tasks import settle_order\n\n\n"
        "class Settle(TestCase):\n    def test_twice(self) -> None:\n        settle_order(1)\n        settle_order(1)\n"
    ),
    "shop/orders/tests/test_views.py": "def test_settle(client) -> None:\n    assert client\n",
}  # fmt: skip

FASTAPI_ARQ = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\ndependencies = ["arq", "fastapi"]\n\n[tool.pytest.ini_options]\n',
    "uv.lock": "version = 1\n",
    ".cursor/settings.json": "{}\n",
    "shop/worker.py": (
        "from arq import cron\n\n\n"
        "async def build_report(ctx, month: str) -> None:\n    await render(month)\n\n\n"
        "async def sweep(ctx) -> None:\n    await clean()\n\n\n"
        "class WorkerSettings:\n    functions = [build_report]\n    cron_jobs = [cron(sweep, hour=3)]\n"
    ),
    "shop/api.py": (
        "from arq import create_pool\nfrom arq.connections import RedisSettings\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
        '@app.post("/reports/{month}")\nasync def request_report(month: str) -> dict[str, str]:\n'
        "    queue = await create_pool(RedisSettings())\n"
        '    await queue.enqueue_job("build_report", month, _job_id=f"report-{month}")\n    return {"month": month}\n'
    ),
    "tests/conftest.py": "",
    "tests/test_worker.py": "from shop.worker import build_report\n\n\nasync def test_report() -> None:\n    await build_report({}, '1')\n",
    "tests/test_api.py": "from shop.api import request_report\n\n\ndef test_api() -> None:\n    assert request_report\n",
}

FLASK_RQ = {
    "requirements.txt": "flask\nrq\n",
    "requirements-dev.txt": "pytest\n",
    ".claude/settings.json": "{}\n",
    "CLAUDE.md": "# Notes\n\nAsk before you deploy.\n",
    "AGENTS.md": "# shop\n\nWe speak English.\n",
    "jobs.py": "def export_orders(year: int) -> None:\n    write(year)\n",
    "app.py": (
        "from flask import Flask\nfrom redis import Redis\nfrom rq import Queue\n\nfrom jobs import export_orders\n\n"
        'app = Flask(__name__)\nexports = Queue("exports", connection=Redis())\n\n\n'
        '@app.post("/exports/<int:year>")\ndef request_export(year: int):\n'
        '    job = exports.enqueue(export_orders, year, job_id=f"orders-{year}", unique=True, job_timeout=600)\n'
        '    return {"job": job.id}, 202\n'
    ),
    "test_jobs.py": "from jobs import export_orders\n\n\ndef test_export() -> None:\n    export_orders(2026)\n",
}

DRAMATIQ = {
    "setup.cfg": "[metadata]\nname = shop\n",
    "tox.ini": "[tox]\nenvlist = py313\n",
    "src/shop/actors.py": (
        "import dramatiq\n\n\n@dramatiq.actor(queue_name='mail', max_retries=3)\n"
        "def send_mail(mail_id: int) -> None:\n    deliver(mail_id)\n\n\n"
        "def remind(mail_id: int) -> None:\n    send_mail.send(mail_id)\n"
    ),
}

ASYNCIO = {
    "pyproject.toml": '[project]\nname = "feed"\nversion = "1"\n',
    "feed/worker.py": (
        "import asyncio\n\n\n"
        "async def consume(queue: asyncio.Queue[int]) -> None:\n    while True:\n        await handle(await queue.get())\n\n\n"
        "async def main() -> None:\n    queue: asyncio.Queue[int] = asyncio.Queue()\n"
        "    task = asyncio.create_task(consume(queue))\n    await task\n\n\n"
        'if __name__ == "__main__":\n    asyncio.run(main())\n'
    ),
}

MONOREPO = {
    "README.md": "# shop\n",
    "Makefile": "test:\n\tmake -C services/billing test\n",
    "services/billing/pyproject.toml": '[project]\nname = "billing"\ndependencies = ["celery"]\n\n[tool.pytest.ini_options]\n',
    "services/billing/poetry.lock": "",
    "services/billing/billing/tasks.py": (
        'from celery import Celery\n\napp = Celery("billing")\napp.conf.task_time_limit = 60\n\n\n'
        "@app.task\ndef charge_order(order_id: int) -> None:\n    charge(order_id)\n"
    ),
    "services/billing/tests/test_tasks.py": "from billing.tasks import charge_order\n\n\ndef test_charge() -> None:\n    charge_order(1)\n",
    "services/mail/package.json": '{"name": "mail", "scripts": {"test": "vitest run"}, "dependencies": {"bullmq": "^5"}}\n',
    "services/mail/pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    "services/mail/src/worker.ts": (
        'import { Worker } from "bullmq";\nimport { deliver } from "./smtp";\n\n'
        'export const mails = new Worker("mails", async (job) => deliver(job.data.mailId), { connection: { host: "redis" } });\n'
    ),
}

KINDS: Mapping[str, Mapping[str, str]] = {
    "celery and django": CELERY_DJANGO,
    "fastapi and arq": FASTAPI_ARQ,
    "flask and rq": FLASK_RQ,
    "dramatiq": DRAMATIQ,
    "plain asyncio": ASYNCIO,
    "a monorepo with two services": MONOREPO,
}


def lay(root: Path, files: Mapping[str, str]) -> Path:
    """Writes a project, which is a git repository as far as a glance tells."""
    (root / ".git").mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())
    return root
