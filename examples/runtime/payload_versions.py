"""A payload that has changed: rows that an older release queued are lifted to the present shape, one version at a time."""

from typing import Any

from pydantic import BaseModel

from guardrails import runtime


class Invoice(BaseModel):
    order_id: str
    amount_cents: int
    currency: str


def cents(old: dict[str, Any]) -> dict[str, Any]:
    return {"order_id": old["order_id"], "amount_cents": old["euros"] * 100}


def currency(old: dict[str, Any]) -> dict[str, Any]:
    return {**old, "currency": "EUR"}


@runtime.job(timeout=30, key=lambda p: p.order_id, version=3, upcast={1: cents, 2: currency})
def send_invoice(p: Invoice) -> str:
    return f"{p.order_id}: {p.amount_cents / 100:.2f} {p.currency}"


if __name__ == "__main__":
    print(send_invoice.enqueue(Invoice(order_id="7", amount_cents=1250, currency="EUR")).id)
