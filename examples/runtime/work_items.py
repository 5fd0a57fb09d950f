"""Tasks for people and agents: what a job cannot decide becomes a work item that links to it, once, also if the job runs again."""

from pydantic import BaseModel

from guardrails import runtime


class Refund(BaseModel):
    order_id: str
    cents: int


@runtime.job(timeout=30, key=lambda p: p.order_id)
def refund(p: Refund) -> str:
    if p.cents <= 10_000:
        return "refunded"
    item = runtime.tasks.create(
        title=f"Check the refund of order {p.order_id}",
        description=f"{p.cents / 100:.2f} EUR is more than a job may pay out.",
        tags=["refund", "money"],
        job=runtime.current().id,
        key=f"refund-{p.order_id}",
    )
    return item.id


def checked(item: str) -> None:
    runtime.tasks.update(item, status="done")


if __name__ == "__main__":
    refund.enqueue_many([Refund(order_id="7", cents=500), Refund(order_id="8", cents=50_000)])
    print([item.title for item in runtime.tasks.list(status="open", tag="refund")])
