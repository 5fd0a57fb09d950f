"""A durable stream: written while the job runs, read from any offset, while it grows and afterwards."""

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime.home import home
from guardrails.runtime.store.streams import Streams


class Export(BaseModel):
    year: int


@runtime.job(timeout=300, key=lambda p: str(p.year), queue="exports")
def export_orders(p: Export) -> None:
    with runtime.stream("orders", content_type="text/csv", metadata={"year": str(p.year)}, ttl=7) as out:
        out.write("order,cents\n")
        for number in range(3):
            out.write(f"{p.year}-{number},{number * 100}\n")


def download(job: str, offset: int = 0) -> bytes:
    return b"".join(piece.data for piece in Streams(home().database).read(job, "orders", offset=offset))


if __name__ == "__main__":
    print(export_orders.enqueue(Export(year=2026)).id)
