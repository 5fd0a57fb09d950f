from datetime import datetime, timedelta

import stripe
from guardrails import runtime
from guardrails.runtime import Retry, SecretRef
from pydantic import BaseModel
from sqlalchemy import select

from shop.db import SessionLocal
from shop.mail.tasks import OrderRef, send_order_confirmation
from shop.models import Order, now
from shop.orders.warehouse import reserve_stock

runtime.queue("orders", concurrency=4)


class Payment(BaseModel):
    order_id: int
    intent: str


class Sweep(BaseModel):
    tick: datetime


@runtime.job(timeout=60, key=lambda p: str(p.order_id), queue="orders")
async def confirm_order(p: OrderRef) -> None:
    await reserve_stock(p.order_id)
    await send_order_confirmation.enqueue_async(p)


@runtime.job(timeout=90, key=lambda p: p.intent, queue="orders", retry=Retry(5, transient=(stripe.APIConnectionError,)))
def settle_payment(p: Payment) -> None:
    intent = stripe.PaymentIntent.retrieve(p.intent, api_key=SecretRef("STRIPE_SECRET_KEY").resolve())
    with SessionLocal() as session:
        order = session.get_one(Order, p.order_id, with_for_update=True)
        if order.status == "paid":
            return
        order.status = "paid"
        order.paid_at = now()
        order.customer.loyalty_points += intent.amount_received // 100
        session.commit()
    runtime.log.info("order %s settled", p.order_id)


@runtime.job(timeout=120, key=lambda p: p.tick.isoformat(), queue="orders")
def cancel_unpaid_orders(p: Sweep) -> None:
    deadline = p.tick - timedelta(hours=2)
    with SessionLocal() as session:
        for order in session.scalars(select(Order).where(Order.status == "new", Order.created_at < deadline)):
            order.status = "cancelled"
            runtime.log.info("order %s cancelled: not paid in time", order.id)
        session.commit()
