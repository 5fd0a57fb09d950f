from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from shop.db import get_session
from shop.exports.jobs import ReportMail, ReportRef, build_sales_report, email_sales_report
from shop.models import Report

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
        session.flush()
        report.job = build_sales_report.enqueue_in_transaction(session, ReportRef(report_id=report.id)).id
        session.commit()
    return {"id": report.id, "status": report.status}


@router.get("/{report_id}")
def show_report(report_id: int, session: Session = Depends(get_session)) -> dict:
    report = session.get(Report, report_id)
    if report is None:
        raise HTTPException(404, "no such report")
    return {"id": report.id, "status": report.status, "stream": f"/api/tasks/{report.job}/stream"}


@router.post("/{report_id}/email", status_code=202)
def email_report(report_id: int, body: Recipient) -> dict:
    handle = email_sales_report.enqueue(ReportMail(report_id=report_id, to=body.email))
    return {"id": report_id, "to": body.email, "job": handle.id}
