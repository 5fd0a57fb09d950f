"""Settings, read from the environment. Celery takes every name that starts with CELERY_."""

import os

from celery.schedules import crontab

DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql+psycopg://localhost/shop")
REDIS_URL = os.environ.get("REDIS_URL", "redis://localhost:6379/0")

STRIPE_SECRET_KEY = os.environ.get("STRIPE_SECRET_KEY", "")
STRIPE_WEBHOOK_SECRET = os.environ.get("STRIPE_WEBHOOK_SECRET", "")
CARRIER_WEBHOOK_SECRET = os.environ.get("CARRIER_WEBHOOK_SECRET", "")

SMTP_HOST = os.environ.get("SMTP_HOST", "smtp.shop.example")
SMTP_USER = os.environ.get("SMTP_USER", "shop")
SMTP_PASSWORD = os.environ.get("SMTP_PASSWORD", "")
MAIL_FROM = "orders@shop.example"

WAREHOUSE_URL = os.environ.get("WAREHOUSE_URL", "https://warehouse.shop.example")
EXPORT_DIR = os.environ.get("EXPORT_DIR", "/var/lib/shop/exports")

CELERY_BROKER_URL = REDIS_URL
CELERY_TIMEZONE = "UTC"
CELERY_TASK_SERIALIZER = "pickle"
CELERY_ACCEPT_CONTENT = ["pickle", "json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_BEAT_SCHEDULE = {
    "cancel-unpaid-orders": {
        "task": "shop.orders.tasks.cancel_unpaid_orders",
        "schedule": crontab(minute="*/15"),
    },
    "remind-abandoned-carts": {
        "task": "shop.mail.tasks.remind_abandoned_carts",
        "schedule": crontab(hour=9, minute=0),
    },
}
