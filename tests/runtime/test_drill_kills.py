"""Drill 1: every job is submitted twice, workers are killed at random, and each job has one recorded outcome."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails import runtime
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading
from tests.runtime import app_drill as drill
from tests.runtime.scale import FULL, SCALE, tell
from tests.runtime.servers import Postgres
from tests.runtime.workers import Worker, wait_for


def test_every_job_has_one_outcome_whoever_dies(database: str, app: Path) -> None:
    kind, reading = home().database.dialect, Reading(home().database)
    payloads = [drill.Work(name=f"j{number}", seconds=0.2) for number in range(SCALE.jobs)]
    many = drill.tough.enqueue_many(payloads)
    assert [drill.tough.enqueue(payload).id for payload in payloads] == [handle.id for handle in many]
    draw, began = random.Random(7), time.monotonic()
    fleet = [Worker(app, database, "--concurrency", "2", lease=SCALE.lease) for _ in range(1 if kind == "sqlite" else 3)]
    try:
        for kill in range(SCALE.kills):
            least = SCALE.jobs * kill // (SCALE.kills + 2)
            wait_for("jobs get done between the kills", lambda least=least: done(reading) > least)
            victim = draw.randrange(len(fleet))
            fleet[victim].kill()
            fleet[victim] = Worker(app, database, "--concurrency", "2", lease=SCALE.lease)
        wait_for("all jobs are done", lambda: not reading.unfinished(["default"]), 600)
    finally:
        for worker in fleet:
            worker.close()
    outcomes = Counter(event.type for handle in many for event in reading.events(handle.id))
    runs = Counter(line.split()[0] for line in (app.parent / "marks.txt").read_text().splitlines())
    figures = {"jobs": SCALE.jobs, "kills": SCALE.kills, "done": done(reading), "runs": runs.total(), "rescued": outcomes["Rescued"]}
    tell(f"1 ({kind})", **figures, seconds=round(time.monotonic() - began))
    assert (done(reading), outcomes["Done"]) == (SCALE.jobs, SCALE.jobs), "none missing, none with two outcomes"
    assert set(runs) == {f"j{number}" for number in range(SCALE.jobs)}
    assert runs.total() <= SCALE.jobs + outcomes["Rescued"] + outcomes["HandedBack"]


def done(reading: Reading) -> int:
    return reading.counts()["default"]["done"]


@pytest.mark.skipif(SCALE is not FULL, reason="in full with `make drills`: 10,000 jobs")
def test_ten_thousand_jobs_lose_nothing_while_two_workers_are_killed(postgres: Postgres, prepared_postgres: str, app: Path) -> None:
    url = postgres.create("tenthousand", template=prepared_postgres)
    runtime.configure(database=url)
    reading, jobs, kills = Reading(home().database), 10_000, 20
    for begin in range(0, jobs, 500):
        drill.swift.enqueue_many([drill.Work(name=f"j{number}") for number in range(begin, begin + 500)])
    draw, began = random.Random(11), time.monotonic()
    fleet = [Worker(app, url, "--quiet", "--concurrency", "8", lease=SCALE.lease) for _ in range(2)]
    try:
        for kill in range(1, kills + 1):
            wait_for("jobs get done between the kills", lambda kill=kill: done(reading) > jobs * kill // (kills + 2), 600)
            victim = draw.randrange(2)
            fleet[victim].kill()
            fleet[victim] = Worker(app, url, "--quiet", "--concurrency", "8", lease=SCALE.lease)
        wait_for("all jobs are done", lambda: not reading.unfinished(["default"]), 900)
    finally:
        for worker in fleet:
            worker.close()
    with home().database.read() as connection:
        event = home().database.tables.event
        outcomes = dict(connection.execute(sa.select(event.c.type, sa.func.count()).group_by(event.c.type)).all())
    seconds = round(time.monotonic() - began)
    tell(
        "10,000 jobs (postgresql)",
        jobs=jobs,
        kills=kills,
        done=done(reading),
        outcomes=outcomes["Done"],
        rescued=outcomes.get("Rescued", 0),
        seconds=seconds,
    )
    assert (done(reading), outcomes["Done"]) == (jobs, jobs), "0 lost, 0 with two outcomes"
