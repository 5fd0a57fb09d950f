from datetime import timedelta

from celery import shared_task
from sqlalchemy import select

from shop.db import SessionLocal
from shop.mail import client
from shop.models import Cart, Order, now


@shared_task(time_limit=60)
def send_order_confirmation(order_id: int) -> None:
    with SessionLocal() as session:
        order = session.get_one(Order, order_id)
        client.send(
            order.customer.email,
            f"Your order {order.id}",
            f"Thank you! We received your order over {order.total_cents / 100:.2f} EUR.",
        )


@shared_task(time_limit=60)
def send_cancellation(order_id: int) -> None:
    with SessionLocal() as session:
        order = session.get_one(Order, order_id)
        client.send(order.customer.email, f"Order {order.id} cancelled", "We are sorry to see it go.")


@shared_task(time_limit=60)
def send_cart_reminder(cart_id: int) -> None:
    with SessionLocal() as session:
        cart = session.get_one(Cart, cart_id)
        client.send(cart.customer.email, "You left something behind", "Your cart is still waiting for you.")


@shared_task
def remind_abandoned_carts() -> None:
    idle = now() - timedelta(days=1)
    with SessionLocal() as session:
        carts = session.scalars(select(Cart).where(Cart.updated_at < idle, Cart.reminded_at.is_(None))).all()
        for cart in carts:
            cart.reminded_at = now()
        session.commit()
    for cart in carts:
        send_cart_reminder.delay(cart.id)
