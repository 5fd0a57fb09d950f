"""A key for each piece of work: queued twice it is done once, and other work under the same key is an error."""

from pydantic import BaseModel

from guardrails import runtime


class Charge(BaseModel):
    order_id: str
    cents: int


@runtime.job(timeout=30, key=lambda p: p.order_id)
def charge(p: Charge) -> int:
    runtime.log.info("charging order %s", p.order_id)
    return p.cents


def checkout(order_id: str, cents: int) -> str:
    """What a handler does: a client that sends the order again gets the first job again."""
    try:
        return charge.enqueue(Charge(order_id=order_id, cents=cents)).id
    except runtime.KeyConflict as conflict:
        return f"refused, order {order_id} was charged otherwise by job {conflict.job}"


if __name__ == "__main__":
    print(checkout("7", 100), checkout("7", 100), checkout("7", 999), sep="\n")
