"""What `guardrails worker` and `guardrails serve` run: every job, schedule and webhook of the shop."""

from guardrails import runtime

from shop import settings
from shop.api import webhooks
from shop.exports import jobs
from shop.mail.tasks import Tick, remind_abandoned_carts
from shop.orders.tasks import Sweep, cancel_unpaid_orders

__all__ = ["jobs", "settings", "webhooks"]

runtime.schedule("cancel-unpaid-orders", "*/15 * * * *", cancel_unpaid_orders, payload=lambda tick: Sweep(tick=tick))
runtime.schedule(
    "remind-abandoned-carts",
    "0 9 * * *",
    remind_abandoned_carts,
    payload=lambda tick: Tick(tick=tick),
    zone="Europe/Paris",
    missed="once",
)
