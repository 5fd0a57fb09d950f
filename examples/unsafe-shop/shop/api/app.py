from fastapi import FastAPI

from shop.api import customers, orders, reports, webhooks

app = FastAPI(title="shop")
app.include_router(orders.router, prefix="/orders")
app.include_router(customers.router, prefix="/customers")
app.include_router(reports.router, prefix="/reports")
app.include_router(webhooks.router, prefix="/webhooks")
