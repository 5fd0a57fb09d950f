import hashlib
import hmac
import json
import logging

import stripe
from fastapi import APIRouter, Depends, Header, HTTPException, Request
from kombu.exceptions import OperationalError
from rq.exceptions import DuplicateJobError
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shop import settings
from shop.db import get_session
from shop.exports.jobs import record_scan
from shop.exports.queue import shipments
from shop.models import WebhookEvent
from shop.orders.tasks import settle_payment

logger = logging.getLogger(__name__)
router = APIRouter()


@router.post("/stripe")
async def stripe_webhook(request: Request, stripe_signature: str = Header(), session: Session = Depends(get_session)) -> dict:
    payload = await request.body()
    try:
        event = stripe.Webhook.construct_event(payload, stripe_signature, settings.STRIPE_WEBHOOK_SECRET)
    except stripe.SignatureVerificationError:
        logger.warning("stripe webhook with a bad signature, request id: %s", request.headers.get("x-request-id"))
        raise HTTPException(400, "bad signature") from None
    if event["type"] == "payment_intent.succeeded":
        intent = event["data"]["object"]
        recorded = session.execute(insert(WebhookEvent).values(id=event["id"]).on_conflict_do_nothing())
        session.commit()
        if recorded.rowcount == 0:
            return {"received": event["id"], "duplicate": True}
        try:
            settle_payment.delay(int(intent["metadata"]["order_id"]), intent["id"])
        except OperationalError:
            # Stripe will send the event again: it must not look like one that was handled.
            session.execute(delete(WebhookEvent).where(WebhookEvent.id == event["id"]))
            session.commit()
            raise
    return {"received": event["id"]}


@router.post("/carrier")
async def carrier_webhook(request: Request, x_signature: str = Header()) -> dict:
    payload = await request.body()
    expected = hmac.new(settings.CARRIER_WEBHOOK_SECRET.encode(), payload, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, x_signature):
        raise HTTPException(400, "bad signature")
    scan = json.loads(payload)
    job_id = f"scan-{scan['id']}"
    try:
        shipments.enqueue(
            record_scan, scan["id"], scan["tracking_code"], scan["status"], job_id=job_id, unique=True, result_ttl=86_400
        )
    except DuplicateJobError:
        logger.info("%s was received already", job_id)
    return {"received": scan["id"]}
