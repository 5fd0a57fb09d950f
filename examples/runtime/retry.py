"""Retries with exponential backoff and full jitter: transient errors are tried again, hopeless ones are not; async bodies alike."""

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import Retry


class Sync(BaseModel):
    customer: str
    outages: int = 0


class Gone(Exception):
    """The other side has no such customer."""


@runtime.job(timeout=30, key=lambda p: p.customer, retry=Retry(5, first=0.1, cap=1.0, terminal=(Gone,)))
async def sync_customer(p: Sync) -> int:
    attempt = runtime.current().attempt
    if p.customer == "nobody":
        raise Gone(p.customer)
    if attempt <= p.outages:
        raise runtime.Transient("the other side is down", after=0.2)  # where it said when to come back
    return attempt


if __name__ == "__main__":
    sync_customer.enqueue_many([Sync(customer="ada", outages=2), Sync(customer="nobody")])
