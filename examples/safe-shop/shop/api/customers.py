from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy.orm import Session

from shop.db import get_session
from shop.exports.jobs import CustomerExport, export_customer
from shop.models import Customer, now

router = APIRouter()


@router.post("/{customer_id}/export", status_code=202)
def request_export(customer_id: int, session: Session = Depends(get_session)) -> dict:
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise HTTPException(404, "no such customer")
    handle = export_customer.enqueue(CustomerExport(customer_id=customer.id, day=now().date()))
    return {"job": handle.id, "status": f"/api/tasks/{handle.id}"}
