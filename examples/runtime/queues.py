"""Queues of their own: slow reports do not hold up mails, and a provider's rate limit holds over all workers.

guardrails worker queues --queues mail
guardrails worker queues --queues reports --concurrency 1
"""

from pydantic import BaseModel

from guardrails import runtime

runtime.queue("mail", concurrency=8, rate=(100, 60.0))
runtime.queue("reports", concurrency=1, limit=2)


class Mail(BaseModel):
    order_id: str


class Month(BaseModel):
    name: str


@runtime.job(timeout=20, key=lambda p: p.order_id, queue="mail")
def send_confirmation(p: Mail) -> str:
    return runtime.current().queue


@runtime.job(timeout=900, key=lambda p: p.name, queue="reports")
def build_report(p: Month) -> str:
    return runtime.current().queue


if __name__ == "__main__":
    send_confirmation.enqueue_many([Mail(order_id=str(number)) for number in range(3)])
    build_report.enqueue(Month(name="2026-11"))
