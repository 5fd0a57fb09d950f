import csv
import json
from datetime import date
from hashlib import sha256
from typing import Annotated

from guardrails import runtime
from guardrails.runtime import Sensitive
from pydantic import BaseModel
from sqlalchemy import Connection, extract, select, update

from shop import settings
from shop.db import SessionLocal
from shop.mail import client
from shop.models import Customer, Order, Report, Shipment

runtime.queue("reports", concurrency=1, limit=1)
runtime.queue("exports", concurrency=2)
runtime.queue("shipments", concurrency=4)


class ReportRef(BaseModel):
    report_id: int


class CustomerExport(BaseModel):
    customer_id: int
    day: date


class Scan(BaseModel):
    scan_id: str
    tracking_code: str
    status: str


class ReportMail(BaseModel):
    report_id: int
    to: Annotated[str, Sensitive]


def mail_key(p: ReportMail) -> str:
    return f"{p.report_id}-{sha256(p.to.encode()).hexdigest()[:16]}"


@runtime.job(timeout=900, key=lambda p: str(p.report_id), queue="reports")
def build_sales_report(p: ReportRef) -> None:
    with SessionLocal() as session:
        report = session.get_one(Report, p.report_id)
        year, month = (int(part) for part in report.month.split("-"))
        orders = select(Order).where(extract("year", Order.paid_at) == year, extract("month", Order.paid_at) == month)
        with runtime.stream("report", content_type="text/csv", metadata={"month": report.month}, ttl=400) as out:
            writer = csv.writer(out)
            writer.writerow(["order", "customer", "total"])
            for order in session.scalars(orders):
                writer.writerow([order.id, order.customer_id, order.total_cents])


@runtime.on_status
def follow(connection: Connection, event: runtime.Event) -> None:
    connection.execute(update(Report).where(Report.job == event.job).values(status=event.status))


@runtime.job(timeout=120, key=lambda p: f"{p.customer_id}@{p.day}", queue="exports")
def export_customer(p: CustomerExport) -> None:
    with SessionLocal() as session:
        customer = session.get_one(Customer, p.customer_id)
        with runtime.stream("customer", content_type="application/json", ttl=7) as out:
            out.write(json.dumps({"email": customer.email, "name": customer.name}))


@runtime.job(timeout=60, key=lambda p: p.scan_id, queue="shipments")
def record_scan(p: Scan) -> None:
    with SessionLocal() as session:
        shipment = session.scalars(select(Shipment).where(Shipment.tracking_code == p.tracking_code)).one()
        if shipment.last_scan_id == p.scan_id:
            return
        shipment.last_scan_id = p.scan_id
        shipment.status = p.status
        shipment.scans += 1
        session.commit()


@runtime.job(timeout=60, key=mail_key, queue="exports")
def email_sales_report(p: ReportMail) -> None:
    with SessionLocal() as session:
        report = session.get_one(Report, p.report_id)
        link = f"{settings.SHOP_URL}/reports/{report.id}"
        client.send(p.to, f"Sales report {report.month}", f"The report is ready: {link}")
