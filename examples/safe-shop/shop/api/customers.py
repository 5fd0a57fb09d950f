import logging

from fastapi import APIRouter, Depends, HTTPException
from rq.exceptions import DuplicateJobError
from sqlalchemy.orm import Session

from shop.db import get_session
from shop.exports.jobs import export_customer
from shop.exports.queue import exports
from shop.models import Customer

logger = logging.getLogger(__name__)
router = APIRouter()


@router.post("/{customer_id}/export", status_code=202)
def request_export(customer_id: int, session: Session = Depends(get_session)) -> dict:
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise HTTPException(404, "no such customer")
    job_id = f"customer-export-{customer_id}"
    try:
        exports.enqueue(export_customer, customer.id, job_id=job_id, unique=True)
    except DuplicateJobError:
        logger.info("%s is under way already", job_id)
    return {"job": job_id}
