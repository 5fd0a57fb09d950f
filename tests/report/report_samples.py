"""Results made by hand: sources, findings by the text they stand at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from guardrails.inventory import Code, Edge, Elsewhere, Handler, Inventory, Job, Schedule, Spawn, Value
from guardrails.result import Allowed, Found, Remark, Result, Spot, Summary
from guardrails.rulebook import Rule

TASKS = """\
from shop.celery import app


@app.task(bind=True)
def charge_card(self, order_id: int) -> None:
    order = Order.objects.get(pk=order_id)
    gateway.charge(order.total)


@app.task
def send_receipt(order: Order) -> None:
    mail.send(order.email)
"""
WEB = """\
@router.post("/webhooks/payments")
async def payment_webhook(request: Request) -> Response:
    event = await request.json()
    charge_card.delay(event["order_id"])
    asyncio.create_task(notify(event))
    log.info("webhook %s", request.headers)
    return Response(status_code=204)
"""
CELERY = 'app = Celery("shop", broker=REDIS)\napp.conf.update(task_acks_late=True)\n'
SOURCES = {"shop/tasks.py": TASKS.encode(), "shop/web.py": WEB.encode(), "shop/celery.py": CELERY.encode()}


def rule(name: str, title: str, severity: str, guardrail: str, why: str, persona: str = "regular") -> Rule:
    parts = {"Why": why, "Bad": "", "Good": "", "Fix": "Do it.", "Cannot tell": "", "Sources": ""}
    body = "\n".join(f"## {head}\n{text}\n" for head, text in parts.items())
    return msgspec.convert(
        {
            "name": name,
            "title": title,
            "severity": severity,
            "confidence": "high",
            "guardrail": guardrail,
            "instruct": "Do it.",
            "persona": persona,
            "languages": ["python"],
            "options": {},
            "body": body,
            "body_line": 8,
        },
        Rule,
    )


PAGES = (
    (
        "untimed-job",
        "Job without a time limit",
        "error",
        "timeout",
        "A job that never ends holds its worker slot. Soon none is left.",
    ),
    (
        "missing-idempotency-key",
        "Missing idempotency key",
        "error",
        "idempotency",
        "A webhook comes *at least* once, so it charges twice.",
    ),
    ("fire-and-forget-spawn", "Work that nobody waits for", "warning", "boundary", "A task that nobody keeps may die with the process."),
    ("secret-in-log", "Secret in a log", "error", "failure", "Logs are read by more people than the vault."),
)
RULES: Mapping[str, Rule] = {page[0]: rule(*page) for page in PAGES}


def spot(path: str, text: str, sources: Mapping[str, bytes] = SOURCES) -> Spot:
    """Where a text stands for the first time in a source."""
    source = sources[path].decode()
    start = source.index(text)
    end = start + len(text)
    return Spot(path, *_point(source, start), *_point(source, end))


def _point(source: str, at: int) -> tuple[int, int]:
    return source.count("\n", 0, at) + 1, at - (source.rfind("\n", 0, at) + 1) + 1


def found(rule: str, at: Spot, message: str, **more: Any) -> Found:
    severity = RULES[rule].severity if rule in RULES else "error"
    fix = more.pop("fix", "Mend it.")
    values = {"severity": severity, "confidence": "high", "fingerprint": f"{rule}:{at.path}:{at.line}", **more}
    return Found(rule=rule, spot=at, message=message, fix=fix, **values)


def untimed(name: str = "charge_card", path: str = "shop/tasks.py", **more: Any) -> Found:
    app = Remark(spot("shop/celery.py", 'Celery("shop", broker=REDIS)'), "this app sets no task_time_limit")
    return found(
        "untimed-job",
        spot(path, name, more.pop("sources", SOURCES)),
        f"Job `{name}` has no time limit on the task, its base class, the app `shop` or the worker's command line, so one hung call "
        "holds a worker slot until somebody kills it.",
        fix="Set `task_time_limit=300` on the app, or `time_limit=300` on the task.",
        **{"subject": name, "cause": "app:shop", "related": (app,), **more},
    )


def lost(name: str, sources: Mapping[str, bytes]) -> Found:
    at = spot("shop/spawns.py", f"asyncio.create_task({name}(event))", sources)
    return found("fire-and-forget-spawn", at, f"The task of `{name}(event)` is dropped.")


def keyless() -> Found:
    return found(
        "missing-idempotency-key",
        spot("shop/web.py", 'charge_card.delay(event["order_id"])'),
        "`payment_webhook` enqueues `charge_card` for every delivery of the webhook, and nothing records the event first.",
        fix="Record `event['id']` by a unique insert, and enqueue only when it was new.",
        confidence="medium",
        related=(
            Remark(spot("shop/web.py", 'post("/webhooks/payments")'), "a webhook is delivered again until it is answered"),
            Remark(spot("shop/tasks.py", "charge_card"), "this job charges the card"),
        ),
    )


def dropped() -> Found:
    return found(
        "fire-and-forget-spawn",
        spot("shop/web.py", "asyncio.create_task(notify(event))"),
        "The task of `notify(event)` is dropped.",
        fix="Keep it and await it before you answer, or enqueue a job.",
    )


SUMMARY = Summary(
    files=212, parsed=18, jobs=14, enqueues=9, handlers=22, schedules=3, frameworks=("celery", "fastapi"),
    passed_over={"over 2 MB": 1, "binary": 2}, looked_for=("celery", "rq", "dramatiq"),
)  # fmt: skip


def result(*findings: Found, **more: Any) -> Result:
    values = {"unknown": (), "unreadable": (), "allowed": (), "summary": SUMMARY, "sources": SOURCES, **more}
    return Result(findings=findings, **values)


def few() -> Result:
    return result(
        untimed(),
        untimed("send_receipt"),
        keyless(),
        dropped(),
        unknown=(Remark(spot("shop/web.py", "event"), "the options come from `**options`", "untimed-job"),),
        unreadable=(Remark(spot("shop/web.py", "return"), "syntax error near `return`"),),
        allowed=(Allowed(dropped(), "the outbox sends it again"),),
    )


def many(jobs: int = 30) -> Result:
    """Above twenty findings: one cause with many jobs, many causes of a rule, a rule with a single one."""
    code = "".join(f"@app.task\ndef job_{number:02}(order_id: int) -> None:\n    work(order_id)\n\n\n" for number in range(jobs))
    spawns = "".join(f"    asyncio.create_task(notify_{number:02}(event))\n" for number in range(9))
    sources = {**SOURCES, "shop/jobs.py": code.encode(), "shop/spawns.py": b"async def all(event):\n" + spawns.encode()}
    timed = [untimed(f"job_{number:02}", "shop/jobs.py", sources=sources) for number in range(jobs)]
    return result(keyless(), *timed, *(lost(f"notify_{number:02}", sources) for number in range(9)), sources=sources)


def crowd(number: int = 2_000) -> Result:
    """Very many findings, each with a cause of its own."""
    code = "".join(f"@app.task\ndef job_{index:04}(order_id: int) -> None:\n    work(order_id)\n\n\n" for index in range(number))
    sources = {**SOURCES, "shop/crowd.py": code.encode()}
    spots = (Spot("shop/crowd.py", 5 * index + 2, 5, 5 * index + 2, 13) for index in range(number))
    message = "Job `job_{:04}` has no time limit, so one hung call holds a worker slot until somebody kills it."
    made = (found("untimed-job", at, message.format(index), subject=f"job_{index:04}") for index, at in enumerate(spots))
    return result(*made, sources=sources)


def compared() -> Result:
    """Against a baseline: one finding is new, two are known, one is allowed, and three entries of the baseline match nothing."""
    known = (untimed(state="unchanged"), untimed("send_receipt", state="unchanged"))
    return result(
        keyless_new(),
        known=known,
        compared="the baseline",
        stale=("shop/old.py: untimed-job in send", "shop/old.py: secret-in-log", "shop/web.py: secret-in-log (2 times)"),
        allowed=(Allowed(dropped(), "the outbox sends it again"),),
    )


def keyless_new() -> Found:
    return msgspec.structs.replace(keyless(), state="new")


EVIL = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}{%raw%}\"'`&@you #1 https://evil.example ](javascript:alert(3))"
)


def hostile() -> Result:
    """Names, code, messages and reasons that try to act in a page, a comment, a terminal or a log."""
    path = f"shop/{EVIL}\u202e\x1b[31m\udcff.py"
    sources = {path: f"def a():  # {EVIL}\x00\x1b]0;x\x07\u202e\n\tcall('{EVIL}')\n".encode(errors="surrogateescape")}
    at = Spot(path, 2, 2, 2, 20)
    bad = found(
        "untimed-job", at, f"Job `{EVIL}` {EVIL}\r\n::error::x\x1b[2J", fix=f"{EVIL} `{EVIL}", subject=EVIL, cause=EVIL,
        related=(Remark(Spot(path, 1, 5, 1, 6), EVIL),), fingerprint=EVIL, state="new",
    )  # fmt: skip
    nameless = found(EVIL, at, EVIL)
    return result(
        bad, nameless, sources=sources, known=(bad,), compared=EVIL, stale=(EVIL,), allowed=(Allowed(nameless, EVIL),),
        unknown=(Remark(at, EVIL, EVIL),), unreadable=(Remark(at, EVIL),), summary=msgspec.structs.replace(SUMMARY, frameworks=(EVIL,)),
        inventory=inventory(EVIL, at),
    )  # fmt: skip


def inventory(name: str = "charge_card", at: Spot | None = None) -> Inventory:
    """A handler, a schedule and code that start jobs, a job that starts another, a spawn, a job elsewhere."""
    here = at or spot("shop/tasks.py", "charge_card")
    limit, open_ = Value("none", "framework", None, "celery", None), Value("a or b", "varies", here, "its enqueues differ")
    jobs = (
        Job(id="job-1", name=name, at=here, title=name, symbol=name, language="python", limit=limit, retries=limit, queue=limit),
        Job(id="job-2", name="send_receipt", at=here, symbol="s", language="python", limit=open_, retries=open_, queue=open_, again=name),
    )
    return Inventory(
        jobs=jobs,
        handlers=(Handler(id="handler-1", name=name, at=here, route=f"/{name}", methods=("POST",)),),
        schedules=(Schedule(id="schedule-1", name="nightly", at=here, when=name),),
        spawns=(Spawn(id="spawn-1", name=name, at=here, kind="task"),),
        code=(Code(id="code-1", name=name, at=here),),
        elsewhere=(Elsewhere(id="elsewhere-1", name=name, at=here),),
        edges=(
            Edge("handler-1", "job-1", "enqueues", here, (name,), name),
            Edge("schedule-1", "job-2", "schedules", here),
            Edge("job-1", "job-2", "enqueues", here),
            Edge("job-2", "job-1", "enqueues", here),
            Edge("job-1", "job-1", "enqueues", here),
            Edge("handler-1", "spawn-1", "spawns", here),
            Edge("code-1", "elsewhere-1", "enqueues", here),
        ),
        all_handlers=22,
    )
