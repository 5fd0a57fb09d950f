"""Schedules: by cron in a time zone or by interval, one run of a tick whatever happens, no overlap and no backlog."""

from datetime import datetime

from pydantic import BaseModel

from guardrails import runtime


class Tick(BaseModel):
    at: datetime


@runtime.job(timeout=600, key=lambda p: p.at.isoformat(), queue="nightly")
def nightly_report(p: Tick) -> str:
    return f"report of {p.at:%F}"


@runtime.job(timeout=20, key=lambda p: p.at.isoformat())
def poll_inbox(p: Tick) -> None:
    runtime.log.info("looking into the inbox")


runtime.schedule("nightly", "0 2 * * *", nightly_report, payload=lambda tick: Tick(at=tick), zone="Europe/Paris", missed="once")
runtime.schedule("inbox", every=60.0, target=poll_inbox, payload=lambda tick: Tick(at=tick))
