from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel
from sqlalchemy.orm import Session

from shop.background import run_in_background
from shop.db import get_session
from shop.exports.jobs import build_sales_report, email_sales_report
from shop.exports.queue import exports
from shop.models import Report

router = APIRouter()


class NewReport(BaseModel):
    month: str


class Recipient(BaseModel):
    email: str


@router.post("", status_code=202)
def request_report(body: NewReport, session: Session = Depends(get_session)) -> dict:
    report = Report(month=body.month)
    session.add(report)
    session.commit()
    exports.enqueue(build_sales_report, report.id, job_timeout=-1)
    return {"id": report.id, "status": report.status}


@router.get("/{report_id}")
def show_report(report_id: int, session: Session = Depends(get_session)) -> dict:
    report = session.get(Report, report_id)
    if report is None:
        raise HTTPException(404, "no such report")
    return {"id": report.id, "status": report.status, "path": report.path}


@router.post("/{report_id}/email")
def email_report(report_id: int, body: Recipient) -> dict:
    run_in_background(email_sales_report, report_id, body.email)
    return {"id": report_id, "to": body.email}
