import httpx
from guardrails import runtime

from shop import settings


@runtime.step
async def reserve_stock(order_id: int) -> None:
    async with httpx.AsyncClient(base_url=settings.WAREHOUSE_URL, timeout=10) as client:
        response = await client.put(f"/reservations/{order_id}")
        response.raise_for_status()
