"""Durable steps: what has finished is not done again after a crash or a retry of the job."""

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import Retry


class Order(BaseModel):
    order_id: str


@runtime.step
def reserve_stock(order_id: str) -> str:
    runtime.log.info("reserving stock for %s", order_id)
    return f"reservation-{order_id}"


@runtime.step
def book_courier(reservation: str, attempt: int) -> str:
    if attempt == 1:
        raise runtime.Transient("the courier's service is down")
    return f"courier for {reservation}"


@runtime.job(timeout=60, key=lambda p: p.order_id, retry=Retry(3, first=0.05, cap=0.1))
def fulfil(p: Order) -> str:
    reservation = reserve_stock(p.order_id)
    return book_courier(reservation, runtime.current().attempt)


if __name__ == "__main__":
    print(fulfil.enqueue(Order(order_id="7")).id)
