from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel
from sqlalchemy.orm import Session

from shop.db import get_session
from shop.mail.tasks import OrderRef, send_cancellation
from shop.models import Customer, Order
from shop.orders.tasks import confirm_order

router = APIRouter()


class NewOrder(BaseModel):
    customer_id: int
    total_cents: int


@router.post("", status_code=201)
def create_order(body: NewOrder, session: Session = Depends(get_session)) -> dict:
    customer = session.get(Customer, body.customer_id)
    if customer is None:
        raise HTTPException(422, "no such customer")
    order = Order(customer=customer, total_cents=body.total_cents)
    session.add(order)
    session.flush()
    confirm_order.enqueue_in_transaction(session, OrderRef(order_id=order.id))
    session.commit()
    return {"id": order.id, "status": order.status}


@router.get("/{order_id}")
def show_order(order_id: int, session: Session = Depends(get_session)) -> dict:
    order = session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    return {"id": order.id, "status": order.status, "total_cents": order.total_cents}


@router.post("/{order_id}/cancel")
def cancel_order(order_id: int, session: Session = Depends(get_session)) -> dict:
    order = session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "no such order")
    order.status = "cancelled"
    send_cancellation.enqueue_in_transaction(session, OrderRef(order_id=order.id))
    session.commit()
    return {"id": order.id, "status": order.status}
