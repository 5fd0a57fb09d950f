from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.api import customers, orders, reports
from shop.db import get_session

app = FastAPI(title="shop")
app.include_router(orders.router, prefix="/orders")
app.include_router(customers.router, prefix="/customers")
app.include_router(reports.router, prefix="/reports")


@app.get("/health")
def health(session: Session = Depends(get_session)) -> dict:
    return {"ready": session.scalar(select(1)) == 1}
