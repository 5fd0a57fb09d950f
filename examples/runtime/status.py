"""The status: polled by anybody, and kept in the application's own table in the transaction that records it."""

import sqlalchemy as sa
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime.home import home

reports = sa.Table("reports", sa.MetaData(), sa.Column("job", sa.Text, primary_key=True), sa.Column("status", sa.Text))


class Report(BaseModel):
    month: str


@runtime.job(timeout=60, key=lambda p: p.month)
def build_report(p: Report) -> int:
    runtime.progress(1, 2, "half of the rows")
    return 42


@runtime.on_status
def follow(connection: sa.Connection, event: runtime.Event) -> None:
    connection.execute(sa.update(reports).where(reports.c.job == event.job).values(status=event.status))


def request(month: str) -> str:
    with home().database.engine.begin() as connection:
        reports.create(connection, checkfirst=True)
        job = build_report.enqueue_in_transaction(connection, Report(month=month)).id
        connection.execute(sa.insert(reports).values(job=job, status="queued"))
    return job


if __name__ == "__main__":
    print(runtime.state(request("2026-11")).status)
