import csv
import json
import logging
from pathlib import Path

from sqlalchemy import extract, select

from shop import settings
from shop.db import SessionLocal
from shop.mail import client
from shop.models import Customer, Order, Report, Shipment

logger = logging.getLogger(__name__)


def build_sales_report(report_id: int) -> None:
    with SessionLocal() as session:
        report = session.get_one(Report, report_id)
        year, month = (int(part) for part in report.month.split("-"))
        orders = select(Order).where(extract("year", Order.paid_at) == year, extract("month", Order.paid_at) == month)
        path = Path(settings.EXPORT_DIR, f"sales-{report.month}.csv")
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["order", "customer", "total"])
            for order in session.scalars(orders):
                writer.writerow([order.id, order.customer_id, order.total_cents])
        report.status, report.path = "done", str(path)
        session.commit()
    logger.info("report %s written to %s", report_id, path)


def export_customer(customer_id: int) -> None:
    with SessionLocal() as session:
        customer = session.get_one(Customer, customer_id)
        path = Path(settings.EXPORT_DIR, f"customer-{customer_id}.json")
        path.write_text(json.dumps({"email": customer.email, "name": customer.name}))


def record_scan(scan_id: str, tracking_code: str, status: str) -> None:
    with SessionLocal() as session:
        shipment = session.scalars(select(Shipment).where(Shipment.tracking_code == tracking_code)).one()
        if shipment.last_scan_id == scan_id:
            return
        shipment.last_scan_id = scan_id
        shipment.status = status
        shipment.scans += 1
        session.commit()


def email_sales_report(report_id: int, to: str) -> None:
    with SessionLocal() as session:
        report = session.get_one(Report, report_id)
        client.send(to, f"Sales report {report.month}", f"The report is ready: {report.path}")
