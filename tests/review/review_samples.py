"""Findings, changes and comments of a pull request that exists in memory only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from guardrails.fingerprint import make
from guardrails.lint import lint_texts
from guardrails.result import Found, Remark, Spot
from guardrails.review.hunks import Hunks, Shown
from guardrails.review.plan import Comment, Context, Plan, Told, Web, demoted
from guardrails.review.suggest import suggestion

HEAD, NEXT = "a1b2c3d4" * 5, "b2c3d4e5" * 5
WEB = Web("https://github.example", "acme/shop", 7)
CONTEXT = Context(web=WEB)
SHOP: Mapping[str, str] = {
    "shop/app.py": """from celery import Celery
app = Celery("shop")

@app.task
def charge(order_id):
    import requests
    requests.post("http://x", json={})

@app.task(autoretry_for=(Exception,))
def mail(order):
    try:
        charge.delay(order)
    except Exception:
        pass
""",
    "web.py": """import asyncio
from fastapi import FastAPI
from shop.app import charge
app = FastAPI()
@app.post("/stripe/webhook")
async def hook(request):
    asyncio.create_task(work())
    charge.delay(request.id)
async def work(): ...
""",
}


def told(files: Mapping[str, str] = SHOP) -> tuple[list[Told], Hunks]:
    """What the linter finds in new files."""
    hunks = Hunks({path: span(1, text.count("\n")) for path, text in files.items()})
    found = lint_texts(files).findings
    return [Told(one, suggestion(one, lambda path: files[path].encode(), hunks)) for one in found], hunks


def span(first: int, last: int) -> Shown:
    return Shown(((first, last),), frozenset(range(first, last + 1)))


def found(
    rule: str = "untimed-call", path: str = "jobs.py", line: int = 5, *, scope: str = "run", key: str = "get ( )", occurrence: int = 0,
    message: str = "`get` in job `run` may wait for ever.", fix: str = "Pass `timeout=`.", confidence: str = "high",
    severity: str = "error", cause: str = "", related: tuple[Remark, ...] = (), end: int = 0,
) -> Found:  # fmt: skip
    fingerprint = make(rule, path, scope, key, occurrence)
    return Found(
        rule, Spot(path, line, 1, end or line, 10), message, fix, severity, confidence, fingerprint, scope, "", cause, related, key  # type: ignore[arg-type]
    )  # fmt: skip


def standing(plan: Plan, first: int = 1) -> list[Comment]:
    """The comments that a plan makes, as they stand afterwards."""
    return [
        Comment(number, f"node{number}", new.path, new.line, new.body) for number, new in enumerate((*plan.create, *plan.to_file), first)
    ]


def summary(body: str | None) -> Comment | None:
    return Comment(99, "summary", "", None, body) if body is not None else None


def several(rules: Iterable[str], line: int = 5) -> list[Told]:
    return [Told(found(rule, line=line)) for rule in rules]


__all__ = ["CONTEXT", "HEAD", "NEXT", "SHOP", "WEB", "demoted", "found", "several", "span", "standing", "summary", "told"]
