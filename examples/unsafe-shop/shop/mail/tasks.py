from datetime import timedelta

from celery import shared_task
from sqlalchemy import select

from shop.db import SessionLocal
from shop.mail import client
from shop.models import Cart, Order, now


@shared_task(time_limit=60)
def send_order_confirmation(order: Order) -> None:
    client.send(
        order.customer.email,
        f"Your order {order.id}",
        f"Thank you! We received your order over {order.total_cents / 100:.2f} EUR.",
    )


@shared_task(time_limit=60)
def send_cart_reminder(cart: Cart) -> None:
    client.send(cart.customer.email, "You left something behind", "Your cart is still waiting for you.")


@shared_task
def remind_abandoned_carts() -> None:
    idle = now() - timedelta(days=1)
    with SessionLocal() as session:
        for cart in session.scalars(select(Cart).where(Cart.updated_at < idle, Cart.reminded_at.is_(None))):
            send_cart_reminder.delay(cart)
            cart.reminded_at = now()
        session.commit()
