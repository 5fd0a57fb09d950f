import logging
from hashlib import sha256

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel
from rq.exceptions import DuplicateJobError
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.db import get_session
from shop.exports.jobs import build_sales_report, email_sales_report
from shop.exports.queue import exports
from shop.models import Report

logger = logging.getLogger(__name__)
router = APIRouter()


class NewReport(BaseModel):
    month: str


class Recipient(BaseModel):
    email: str


@router.post("", status_code=202)
def request_report(body: NewReport, session: Session = Depends(get_session)) -> dict:
    report = session.scalars(select(Report).where(Report.month == body.month)).first()
    if report is None:
        report = Report(month=body.month)
        session.add(report)
        session.commit()
    try:
        exports.enqueue(build_sales_report, report.id, job_id=f"sales-report-{report.id}", unique=True, job_timeout=900)
    except DuplicateJobError:
        logger.info("report %s is under way already", report.id)
    return {"id": report.id, "status": report.status}


@router.get("/{report_id}")
def show_report(report_id: int, session: Session = Depends(get_session)) -> dict:
    report = session.get(Report, report_id)
    if report is None:
        raise HTTPException(404, "no such report")
    return {"id": report.id, "status": report.status, "path": report.path}


@router.post("/{report_id}/email")
def email_report(report_id: int, body: Recipient) -> dict:
    job_id = f"sales-report-{report_id}-mail-{sha256(body.email.encode()).hexdigest()[:16]}"
    try:
        exports.enqueue(email_sales_report, report_id, body.email, job_id=job_id, unique=True)
    except DuplicateJobError:
        logger.info("%s is under way already", job_id)
    return {"id": report_id, "to": body.email, "job": job_id}
