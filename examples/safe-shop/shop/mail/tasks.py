from datetime import date, datetime, timedelta

from guardrails import runtime
from guardrails.runtime import Retry
from pydantic import BaseModel
from sqlalchemy import select

from shop.db import SessionLocal
from shop.mail import client
from shop.models import Cart, Order, now

runtime.queue("mail", concurrency=8, rate=(100, 60.0))


class OrderRef(BaseModel):
    order_id: int


class Reminder(BaseModel):
    cart_id: int
    day: date


class Tick(BaseModel):
    tick: datetime


@runtime.job(timeout=60, key=lambda p: str(p.order_id), queue="mail", retry=Retry(8))
def send_order_confirmation(p: OrderRef) -> None:
    with SessionLocal() as session:
        order = session.get_one(Order, p.order_id)
        client.send(
            order.customer.email,
            f"Your order {order.id}",
            f"Thank you! We received your order over {order.total_cents / 100:.2f} EUR.",
        )


@runtime.job(timeout=60, key=lambda p: str(p.order_id), queue="mail", retry=Retry(8))
def send_cancellation(p: OrderRef) -> None:
    with SessionLocal() as session:
        order = session.get_one(Order, p.order_id)
        client.send(order.customer.email, f"Order {order.id} cancelled", "We are sorry to see it go.")


@runtime.job(timeout=60, key=lambda p: f"{p.cart_id}@{p.day}", queue="mail", retry=Retry(8))
def send_cart_reminder(p: Reminder) -> None:
    with SessionLocal() as session:
        cart = session.get_one(Cart, p.cart_id)
        client.send(cart.customer.email, "You left something behind", "Your cart is still waiting for you.")


@runtime.job(timeout=120, key=lambda p: p.tick.isoformat(), queue="mail")
def remind_abandoned_carts(p: Tick) -> None:
    idle = p.tick - timedelta(days=1)
    with SessionLocal() as session:
        carts = session.scalars(select(Cart).where(Cart.updated_at < idle, Cart.reminded_at.is_(None))).all()
        for cart in carts:
            cart.reminded_at = now()
            send_cart_reminder.enqueue_in_transaction(session, Reminder(cart_id=cart.id, day=p.tick.date()))
        session.commit()
