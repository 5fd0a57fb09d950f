"""Settings, read from the environment. Secrets are only named, where they are used, and resolved by the runtime."""

import os

from guardrails import runtime

DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql+psycopg://localhost/shop")

SMTP_HOST = os.environ.get("SMTP_HOST", "smtp.shop.example")
SMTP_USER = os.environ.get("SMTP_USER", "shop")
MAIL_FROM = "orders@shop.example"

WAREHOUSE_URL = os.environ.get("WAREHOUSE_URL", "https://warehouse.shop.example")
SHOP_URL = os.environ.get("SHOP_URL", "https://shop.example")

runtime.configure(database=DATABASE_URL)
