import hashlib
import hmac
import json
import logging

import stripe
from fastapi import APIRouter, Header, HTTPException, Request

from shop import settings
from shop.exports.jobs import record_scan
from shop.exports.queue import shipments
from shop.orders.tasks import settle_payment

logger = logging.getLogger(__name__)
router = APIRouter()


@router.post("/stripe")
async def stripe_webhook(request: Request, stripe_signature: str = Header()) -> dict:
    payload = await request.body()
    try:
        event = stripe.Webhook.construct_event(payload, stripe_signature, settings.STRIPE_WEBHOOK_SECRET)
    except stripe.SignatureVerificationError:
        logger.warning("stripe webhook with a bad signature, headers: %s", request.headers)
        raise HTTPException(400, "bad signature") from None
    if event["type"] == "payment_intent.succeeded":
        intent = event["data"]["object"]
        settle_payment.delay(int(intent["metadata"]["order_id"]), intent["id"])
    return {"received": event["id"]}


@router.post("/carrier")
async def carrier_webhook(request: Request, x_signature: str = Header()) -> dict:
    payload = await request.body()
    expected = hmac.new(settings.CARRIER_WEBHOOK_SECRET.encode(), payload, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, x_signature):
        raise HTTPException(400, "bad signature")
    scan = json.loads(payload)
    shipments.enqueue(record_scan, scan["tracking_code"], scan["status"], job_id=f"scan-{scan['id']}")
    return {"received": scan["id"]}
