"""A job's outcome told over HTTP: signed (Standard Webhooks), with the job's key, retried, and to public addresses only."""

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import SecretRef

partner = runtime.destinations.http("https://partner.example.com/hooks/orders", secret=SecretRef("PARTNER_SECRET"), timeout=10.0)


class Ship(BaseModel):
    order_id: str


@runtime.job(timeout=30, key=lambda p: p.order_id, callback=partner)
def ship(p: Ship) -> dict[str, str]:
    return {"order": p.order_id, "tracking": f"T-{p.order_id}"}


runtime.schedule("heartbeat", every=300.0, target=partner)


if __name__ == "__main__":
    try:
        runtime.destinations.http("https://169.254.169.254/latest/meta-data", secret=SecretRef("PARTNER_SECRET"))
    except runtime.DestinationRefused as refused:
        print(refused)
    print(ship.enqueue(Ship(order_id="7")).id)
