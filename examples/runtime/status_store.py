"""The key-value store: small JSON values that clients poll, with a time to live."""

from pydantic import BaseModel

from guardrails import runtime


class Warmup(BaseModel):
    shop: str


@runtime.job(timeout=60, key=lambda p: p.shop)
def warm_cache(p: Warmup) -> None:
    for done in (50, 100):
        runtime.kv.set("warmup", p.shop, {"percent": done}, ttl=3600)


def percent(shop: str) -> int:
    """What a page polls."""
    return int(runtime.kv.get("warmup", shop, {"percent": 0})["percent"])


if __name__ == "__main__":
    print(warm_cache.enqueue(Warmup(shop="paris")).id, percent("paris"))
