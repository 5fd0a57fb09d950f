"""The mended shop at work: its handlers queue, its jobs run on our runtime, and what fails in between happens again without harm."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

pytest.importorskip("dbos", reason="the shop runs on the extra [worker]")
pytest.importorskip("fastapi", reason="the shop's web framework")
pytest.importorskip("stripe", reason="the shop asks Stripe")

import httpx
import stripe
from fastapi.testclient import TestClient

from guardrails.runtime import testing

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "safe-shop"
EVENT = {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1", "metadata": {"order_id": "1"}}}}
SCAN = {"id": "77", "tracking_code": "T1", "status": "delivered"}


class Post:
    """A mail server that keeps what it is given."""

    sent: ClassVar[list[tuple[str, str]]] = []

    def __init__(self, host: str, timeout: float) -> None:
        assert timeout == 20

    def __enter__(self) -> Post:
        return self

    def __exit__(self, *_: object) -> None: ...

    def login(self, user: str, password: str) -> None:
        assert password == "a secret of the mail"

    def send_message(self, message: Any) -> None:
        self.sent.append((message["To"], message["Subject"]))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The shop, imported anew for a database of its own, with one customer, and with mail and warehouse in reach."""
    with testing.isolated(tmp_path):
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'jobs.db'}")
        monkeypatch.setenv("SMTP_PASSWORD", "a secret of the mail")
        monkeypatch.setenv("STRIPE_SECRET_KEY", "a secret of Stripe's")
        monkeypatch.syspath_prepend(str(FOLDER))
        _forget()
        names = {
            "app": "api.app",
            "db": "db",
            "models": "models",
            "orders": "orders.tasks",
            "mail": "mail.tasks",
            "exports": "exports.jobs",
        }
        found = SimpleNamespace(**{name: import_module(f"shop.{module}") for name, module in names.items()})
        import_module("shop.worker")
        found.models.Base.metadata.create_all(found.db.engine)
        add(found, "Customer", email="ann@example.org", name="Ann")
        found.reserved, found.sent = _warehouse(monkeypatch), []
        monkeypatch.setattr(Post, "sent", found.sent)
        monkeypatch.setattr("smtplib.SMTP_SSL", Post)
        found.web = TestClient(found.app.app)
        yield found
        found.db.engine.dispose()
    _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def _warehouse(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    reserved: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        reserved.append(f"{request.method} {request.url.path}")
        return httpx.Response(204)

    monkeypatch.setattr(httpx, "AsyncClient", functools.partial(httpx.AsyncClient, transport=httpx.MockTransport(answer)))
    return reserved


def row(shop: SimpleNamespace, model: str, key: int = 1) -> Any:
    with shop.db.SessionLocal() as session:
        return session.get_one(getattr(shop.models, model), key)


def add(shop: SimpleNamespace, model: str, **values: Any) -> None:
    with shop.db.SessionLocal() as session:
        session.add(getattr(shop.models, model)(**values))
        session.commit()


def drained() -> list[tuple[str, str]]:
    return [(job.name, job.status) for job in testing.drain()]


def order(shop: SimpleNamespace) -> None:
    assert shop.web.post("/orders", json={"customer_id": 1, "total_cents": 1200}).status_code == 201


def test_an_order_reserves_its_stock_and_is_confirmed(shop: SimpleNamespace) -> None:
    order(shop)
    testing.assert_enqueued(shop.orders.confirm_order, shop.mail.OrderRef(order_id=1), key="1")
    assert (shop.reserved, shop.sent) == ([], []), "the handler has only handed it over"
    assert drained() == [("confirm_order", "done"), ("send_order_confirmation", "done")]
    assert shop.reserved == ["PUT /reservations/1"]
    assert shop.sent == [("ann@example.org", "Your order 1")]


def test_a_worker_that_dies_after_the_reservation_reserves_and_mails_no_second_time(shop: SimpleNamespace) -> None:
    order(shop)
    with testing.crash_attempts(shop.orders.confirm_order):
        drained()
    assert shop.reserved == ["PUT /reservations/1"]
    assert shop.sent == [("ann@example.org", "Your order 1")]


def test_an_order_that_is_not_stored_queues_nothing(shop: SimpleNamespace) -> None:
    assert shop.web.post("/orders", json={"customer_id": 9, "total_cents": 1}).status_code == 422
    with shop.db.SessionLocal() as session:
        session.add(shop.models.Order(customer_id=1, total_cents=5))
        session.flush()
        shop.orders.confirm_order.enqueue_in_transaction(session, shop.mail.OrderRef(order_id=1))
        session.rollback()
    testing.assert_enqueued(shop.orders.confirm_order, times=0)


def test_a_cancelled_order_is_told(shop: SimpleNamespace) -> None:
    order(shop)
    drained()
    assert shop.web.post("/orders/1/cancel").json() == {"id": 1, "status": "cancelled"}
    assert drained() == [("send_cancellation", "done")]
    assert shop.sent[-1] == ("ann@example.org", "Order 1 cancelled")


def test_a_payment_that_is_told_twice_is_settled_once(shop: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    add(shop, "Order", customer_id=1, total_cents=1200)
    asked = []

    def retrieve(intent: str, api_key: str) -> SimpleNamespace:
        asked.append((intent, api_key))
        if len(asked) == 1:
            raise stripe.APIConnectionError("no line")
        return SimpleNamespace(amount_received=1200)

    monkeypatch.setattr(stripe.PaymentIntent, "retrieve", retrieve)
    assert [reply.status for reply in testing.replay("/webhooks/stripe", EVENT)] == [202, 202]
    assert drained() == [("settle_payment", "done")]
    assert asked == [("pi_1", "a secret of Stripe's")] * 2, "once more after the lost connection"
    assert row(shop, "Order").status == "paid"
    assert row(shop, "Customer").loyalty_points == 12


def test_a_settled_payment_is_not_settled_by_a_second_run(shop: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    add(shop, "Order", customer_id=1, total_cents=1200)
    monkeypatch.setattr(stripe.PaymentIntent, "retrieve", lambda *_, **__: SimpleNamespace(amount_received=1200))
    first, _ = testing.run_twice(shop.orders.settle_payment, shop.orders.Payment(order_id=1, intent="pi_1"))
    assert first.log == "order 1 settled"
    assert row(shop, "Customer").loyalty_points == 12


def test_a_key_that_stripe_refuses_is_a_dead_letter_at_once(shop: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise stripe.AuthenticationError("a secret of Stripe's is no key")

    monkeypatch.setattr(stripe.PaymentIntent, "retrieve", refuse)
    testing.replay("/webhooks/stripe", EVENT)
    (dead,) = testing.drain()
    assert (dead.status, dead.runs) == ("dead", 1)
    assert "a secret of Stripe's" not in str(dead.error)


def test_other_events_of_stripe_are_taken_and_left(shop: SimpleNamespace) -> None:
    replies = testing.replay("/webhooks/stripe", {**EVENT, "type": "charge.updated"})
    assert [reply.json for reply in replies] == [{"ignored": True}] * 2
    assert testing.enqueued() == []


def test_a_scan_that_is_told_twice_is_counted_once(shop: SimpleNamespace) -> None:
    add(shop, "Order", customer_id=1, total_cents=1200)
    add(shop, "Shipment", order_id=1, tracking_code="T1")
    testing.replay("/webhooks/carrier", SCAN)
    testing.assert_enqueued(shop.exports.record_scan, key="scan-77")
    with testing.crash_attempts(shop.exports.record_scan):
        assert drained() == [("record_scan", "done")]
    assert (row(shop, "Shipment").status, row(shop, "Shipment").scans) == ("delivered", 1)


def test_a_report_s_status_follows_its_job(shop: SimpleNamespace) -> None:
    add(shop, "Order", customer_id=1, total_cents=900, paid_at=datetime(2026, 5, 3, tzinfo=UTC))
    assert shop.web.post("/reports", json={"month": "2026-05"}).json() == {"id": 1, "status": "queued"}
    with testing.fail_attempts(shop.exports.build_sales_report, 5):
        assert drained() == [("build_sales_report", "dead")]
    assert shop.web.get("/reports/1").json()["status"] == "dead"
    assert shop.web.post("/reports", json={"month": "2026-04"}).json()["id"] == 2
    assert drained() == [("build_sales_report", "done")]
    assert shop.web.get("/reports/2").json()["status"] == "done"
    ran = testing.run(shop.exports.build_sales_report, shop.exports.ReportRef(report_id=1))
    assert ran.chunks["report"] == b"order,customer,total\r\n1,1,900\r\n"


def test_a_report_is_mailed_once_to_each_address_which_the_log_does_not_hold(shop: SimpleNamespace) -> None:
    add(shop, "Report", month="2026-05")
    jobs = {shop.web.post("/reports/1/email", json={"email": to}).json()["job"] for to in ("a@b.example", "a@b.example", "c@d.example")}
    assert len(jobs) == 2
    drained()
    assert shop.sent == [("a@b.example", "Sales report 2026-05"), ("c@d.example", "Sales report 2026-05")]
    assert all("example" not in one.key for one in testing.enqueued())


def test_a_customer_s_export_is_made_once_a_day(shop: SimpleNamespace) -> None:
    first, second = (shop.web.post("/customers/1/export").json()["job"] for _ in range(2))
    assert first == second
    (queued,) = testing.assert_enqueued(shop.exports.export_customer)
    ran = testing.run(shop.exports.export_customer, queued.payload)
    assert ran.chunks == {"customer": b'{"email": "ann@example.org", "name": "Ann"}'}


def test_orders_that_nobody_paid_are_cancelled_by_the_clock(shop: SimpleNamespace) -> None:
    now = datetime(2026, 5, 4, 10, 1, tzinfo=UTC)
    add(shop, "Order", customer_id=1, total_cents=1200, created_at=now - timedelta(hours=3))
    add(shop, "Order", customer_id=1, total_cents=1200, created_at=now)
    testing.advance(now)
    assert [one.name for one in testing.advance(now + timedelta(minutes=14))] == ["cancel_unpaid_orders"]
    drained()
    assert [row(shop, "Order", key).status for key in (1, 2)] == ["cancelled", "new"]


def test_an_abandoned_cart_is_reminded_of_once_however_often_the_sweep_runs(shop: SimpleNamespace) -> None:
    tick = datetime(2026, 5, 4, 7, tzinfo=UTC)
    add(shop, "Cart", customer_id=1, total_cents=300, updated_at=tick - timedelta(days=2))
    assert [one.at for one in testing.ticks("remind-abandoned-carts", tick - timedelta(hours=3), tick)] == [tick]
    shop.mail.remind_abandoned_carts.enqueue(shop.mail.Tick(tick=tick))
    with testing.crash_attempts(shop.mail.remind_abandoned_carts):
        drained()
    assert shop.sent == [("ann@example.org", "You left something behind")]


def test_no_handler_spawns_anything(shop: SimpleNamespace) -> None:
    with testing.no_stray_spawns():
        order(shop)
        shop.web.post("/orders/1/cancel")


def test_the_shop_tells_that_it_is_ready(shop: SimpleNamespace) -> None:
    assert shop.web.get("/health").json() == {"ready": True}
