"""Work beside a request: what must happen is a job; what may be lost, and is over in a moment, may run beside the answer."""

import asyncio

from pydantic import BaseModel

from guardrails import runtime

warm: set[str] = set()


class Order(BaseModel):
    order_id: str


@runtime.job(timeout=30, key=lambda p: p.order_id)
def confirm(p: Order) -> str:
    return f"order {p.order_id} is confirmed"


async def warm_cache(order_id: str) -> None:
    warm.add(order_id)


async def place_order(order_id: str) -> str:
    """A handler: the confirmation outlives this process, the warm cache need not."""
    handle = await confirm.enqueue_async(Order(order_id=order_id))
    runtime.ephemeral(limit=0.5, because="a cold cache is only slower").start(warm_cache(order_id))
    return handle.id


if __name__ == "__main__":
    print(runtime.state(asyncio.run(place_order("7"))).status)
