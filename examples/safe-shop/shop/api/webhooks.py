"""Events of others, taken by `guardrails serve`: verified over the raw body, queued under the event's own id, once."""

from typing import Any

from guardrails import runtime
from guardrails.runtime import SecretRef

from shop.exports.jobs import Scan, record_scan
from shop.orders.tasks import Payment, settle_payment


def paid(event: dict[str, Any]) -> Payment:
    intent = event["data"]["object"]
    return Payment(order_id=intent["metadata"]["order_id"], intent=intent["id"])


def scanned(event: dict[str, Any]) -> Scan:
    return Scan(scan_id=event["id"], tracking_code=event["tracking_code"], status=event["status"])


runtime.webhook(
    "/webhooks/stripe",
    verify=runtime.signature.stripe(SecretRef("STRIPE_WEBHOOK_SECRET")),
    job=settle_payment,
    kinds=["payment_intent.succeeded"],
    payload=paid,
)
runtime.webhook(
    "/webhooks/carrier",
    verify=runtime.signature.hmac(SecretRef("CARRIER_WEBHOOK_SECRET"), header="X-Signature"),
    job=record_scan,
    key=lambda event: f"scan-{event['id']}",
    payload=scanned,
)
