import logging
from datetime import timedelta

import stripe
from sqlalchemy import select

from shop import settings
from shop.celery import app
from shop.db import SessionLocal
from shop.models import Order, now

logger = logging.getLogger(__name__)


@app.task(bind=True, autoretry_for=(stripe.APIConnectionError,), retry_backoff=True, max_retries=5)
def settle_payment(self, order_id: int, payment_intent: str) -> None:
    stripe.api_key = settings.STRIPE_SECRET_KEY
    try:
        intent = stripe.PaymentIntent.retrieve(payment_intent)
    except stripe.AuthenticationError:
        logger.error("order %s: stripe refused key %s", order_id, settings.STRIPE_SECRET_KEY)
        raise
    with SessionLocal() as session:
        order = session.get_one(Order, order_id)
        order.status = "paid"
        order.paid_at = now()
        order.customer.loyalty_points += intent.amount_received // 100
        session.commit()
    logger.info("order %s settled", order_id)


@app.task
def cancel_unpaid_orders() -> None:
    deadline = now() - timedelta(hours=2)
    with SessionLocal() as session:
        for order in session.scalars(select(Order).where(Order.status == "new", Order.created_at < deadline)):
            order.status = "cancelled"
            logger.info("order %s cancelled: not paid in time", order.id)
        session.commit()
