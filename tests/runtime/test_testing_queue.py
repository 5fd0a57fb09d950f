"""`runtime.testing` with a database: what was queued, `drain`, faults on order, events and schedules."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import testing
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading
from guardrails.runtime.store.streams import Streams


class Charge(BaseModel):
    order: str
    cents: int = 1


calls: list[str] = []


@pytest.fixture(autouse=True)
def apart(url: str, tmp_path: Path) -> Iterator[None]:
    calls.clear()
    with testing.isolated(tmp_path / "own", database=url):
        yield


@runtime.step
def reserve(order: str) -> str:
    calls.append("reserve")
    return order


def declare(attempts: int = 3, body: Any = None) -> runtime.Job[Charge, Any]:
    @runtime.job(timeout=5, key=lambda p: p.order, retry=runtime.Retry(attempts, first=60.0, terminal=(LookupError,)))
    def charge(p: Charge) -> Any:
        calls.append(p.order)
        return body(p) if body else p.cents

    return charge


def events(job: str) -> list[str]:
    return [event.type for event in Reading(home().database).events(job)]


def test_what_was_queued_comes_in_order_with_its_payload_and_key() -> None:
    charge = declare()
    charge.enqueue_many([Charge(order=str(number)) for number in range(20)])
    charge.enqueue(Charge(order="late"), delay=60)
    found = testing.enqueued(charge)
    assert [one.key for one in found] == [*map(str, range(20)), "late"]
    assert (found[0].payload, found[0].status, found[0].delay) == (Charge(order="0"), "queued", 0.0)
    assert found[-1].delay == pytest.approx(60, abs=0.1)


def test_assert_enqueued_counts_by_payload_and_by_key() -> None:
    charge = declare()
    charge.enqueue(Charge(order="7"))
    charge.enqueue(Charge(order="7"))
    charge.enqueue(Charge(order="8", cents=5))
    assert len(testing.assert_enqueued(charge, times=2)) == 2
    testing.assert_enqueued(charge, Charge(order="7"))
    testing.assert_enqueued(charge, key="8")
    testing.assert_enqueued(charge, Charge(order="9"), times=0)
    with pytest.raises(AssertionError, match=r"(?s)with key '7' with .*cents=5.* was queued 0 times, not 1.*8: Charge"):
        testing.assert_enqueued(charge, Charge(order="8", cents=5), key="7")


def test_drain_runs_what_waits_and_what_that_queues() -> None:
    later = declare()

    @runtime.job(timeout=5, key=lambda p: p.order)
    def order(p: Charge) -> None:
        runtime.log.info("ordered %s", p.order)
        runtime.progress(1, 1)
        with runtime.stream("report") as out:
            out.write(b"lines")
        later.enqueue(p, delay=3600)

    handle = order.enqueue(Charge(order="7"))
    ran = testing.drain()
    assert [(job.name, job.status, job.result) for job in ran] == [("order", "done", None), ("charge", "done", 1)]
    assert events(handle.id) == ["Queued", "Started", "Progress", "Done"]
    reading = Reading(home().database)
    assert [line[3] for line in reading.lines(handle.id)] == ["ordered 7"]
    assert b"".join(piece.data for piece in Streams(home().database).read(handle.id, "report")) == b"lines"
    assert testing.drain() == []


def test_a_failing_job_is_retried_without_waiting_and_keeps_its_steps() -> None:
    def body(p: Charge) -> str:
        reserve(p.order)
        if runtime.current().attempt < 3:
            raise RuntimeError("not yet")
        return "at last"

    handle = declare(body=body).enqueue(Charge(order="7"))
    (seen,) = testing.drain()
    assert (seen.status, seen.result, seen.runs) == ("done", "at last", 2)
    assert calls == ["7", "reserve", "7", "7"]
    assert events(handle.id)[-4:] == ["AttemptFailed", "RetryScheduled", "Started", "Done"]


def test_a_dead_job_keeps_its_steps_when_it_is_requeued_but_not_from_the_start() -> None:
    alerts: list[str] = []
    runtime.on_dead(lambda *told: alerts.append(told[0]))

    def body(p: Charge) -> None:
        reserve(p.order)
        raise LookupError("gone")

    handle = declare(body=body).enqueue(Charge(order="7"))
    assert [job.status for job in testing.drain()] == ["dead"]
    assert alerts == [handle.id]
    home().jobs.requeue(handle.id)
    testing.drain()
    assert calls.count("reserve") == 1
    home().jobs.requeue(handle.id, from_start=True)
    testing.drain()
    assert calls.count("reserve") == 2


def test_ordered_failures_take_the_policy_s_way() -> None:
    charge = declare(attempts=3)
    handle = charge.enqueue(Charge(order="7"))
    with testing.fail_attempts(charge, 2, error=runtime.Transient("their side is down")):
        (seen,) = testing.drain()
    assert (seen.status, seen.runs, calls) == ("done", 2, ["7"])
    charge.enqueue(Charge(order="8"))
    with testing.fail_attempts(charge, 1, LookupError("no such order")):
        (dead,) = testing.drain()
    assert (dead.status, dead.error) == ("dead", "LookupError: no such order")
    assert "Transient: their side is down" in Reading(home().database).events(handle.id)[2].data["message"]


def test_failures_that_were_ordered_and_did_not_come_are_told() -> None:
    charge = declare()
    charge.enqueue(Charge(order="7"))
    with pytest.raises(AssertionError, match="1 of 2 runs of charge came"), testing.fail_attempts(charge, 2, LookupError()):
        testing.drain()
    charge.enqueue(Charge(order="8"))
    assert [job.status for job in testing.drain()] == ["done"], "what is left of an order is taken back"


@pytest.mark.parametrize(("when", "worked"), [("after", 2), ("before", 1)])
def test_a_worker_that_dies_has_its_job_run_again(when: Any, worked: int) -> None:
    charge = declare()
    handle = charge.enqueue(Charge(order="7"))
    with testing.crash_attempts(charge, when=when):
        (seen,) = testing.drain()
    assert (seen.status, seen.runs, len(calls)) == ("done", 1, worked)
    assert events(handle.id) == ["Queued", "Started", "Rescued", "Started", "Done"]


def test_a_job_whose_worker_dies_each_time_is_dead() -> None:
    charge = declare(attempts=2)
    charge.enqueue(Charge(order="7"))
    with testing.crash_attempts(charge, 2):
        (seen,) = testing.drain()
    assert (seen.status, seen.runs, len(calls)) == ("dead", 2, 2)


def test_jobs_that_queue_each_other_without_end_are_stopped() -> None:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def again(p: Charge) -> None:
        again.enqueue(Charge(order=p.order + "x"))

    again.enqueue(Charge(order="7"))
    with pytest.raises(AssertionError, match="After 5 runs"):
        testing.drain(limit=5)


def test_a_payload_of_a_newer_version_is_left_and_does_not_hold_drain_up() -> None:
    charge = declare()
    handle = charge.enqueue(Charge(order="7"))
    table = home().database.tables.job
    with home().database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == handle.id).values(version=2))
    assert [(job.status, job.runs) for job in testing.drain()] == [("queued", 0)]


def test_a_time_limit_is_recorded() -> None:
    import threading

    ended = threading.Event()

    @runtime.job(timeout=0.2, key=lambda p: p.order, retry=runtime.Retry(1))
    def slow(p: Charge) -> None:
        ended.wait(0.6)

    handle = slow.enqueue(Charge(order="7"))
    (seen,) = testing.drain()
    assert (seen.status, events(handle.id)[2]) == ("dead", "TimedOut")


def declare_hook(key: Any = None) -> None:
    runtime.webhook(
        "/hooks/pay",
        verify=runtime.signature.stripe(runtime.SecretRef("STRIPE")),
        job=declare(),
        kinds=["paid"],
        key=key,
        payload=lambda event: Charge(order=event["order"]),
    )


def test_a_replayed_event_is_one_job() -> None:
    declare_hook()
    replies = testing.replay("/hooks/pay", {"id": "evt_1", "type": "paid", "order": "7"}, times=3)
    assert [reply.status for reply in replies] == [202, 202, 202]
    (job,) = testing.enqueued()
    assert (job.key, job.payload, replies[0].location) == ("evt_1", Charge(order="7"), f"/api/tasks/{job.id}")
    assert testing.replay("/hooks/pay", {"id": "evt_2", "type": "refunded"})[0].json == {"ignored": True}


def test_a_webhook_whose_key_changes_from_one_sending_to_the_next_is_found() -> None:
    sendings = iter(range(9))
    declare_hook(key=lambda event: f"{event['id']}-{next(sendings)}")
    with pytest.raises(AssertionError, match="2 sendings of one event to /hooks/pay made 2 jobs"):
        testing.replay("/hooks/pay", {"id": "evt_1", "type": "paid", "order": "7"})


def test_ticks_of_a_schedule_with_their_payloads() -> None:
    runtime.schedule("nightly", "0 2 * * *", declare(), payload=lambda at: Charge(order=f"{at:%F %H:%M}"), zone="Europe/Paris")
    day = datetime(2026, 1, 1, tzinfo=UTC)
    ticks = testing.ticks("nightly", day, day + timedelta(days=2))
    assert [tick.payload for tick in ticks] == [Charge(order="2026-01-01 01:00"), Charge(order="2026-01-02 01:00")]
    assert ticks[0].key == "nightly@2026-01-01T01:00:00Z"
    assert testing.enqueued() == []
    with pytest.raises(runtime.UnknownJob, match="there are: nightly"):
        testing.ticks("hourly", day, day)
    with pytest.raises(ValueError, match="no time zone"):
        testing.ticks("nightly", datetime(2026, 1, 1), day)


def test_time_that_advances_queues_what_is_due_and_skips_while_a_job_is_not_over() -> None:
    runtime.schedule("often", every=60.0, target=declare(), payload=lambda at: Charge(order=f"{at:%H:%M}"))
    at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert testing.advance(at) == []
    minute = timedelta(minutes=1)
    assert [job.payload for job in testing.advance(at + minute)] == [Charge(order="12:01")]
    assert testing.advance(at + 2 * minute) == [], "the job of the tick before waits"
    testing.drain()
    assert [job.payload for job in testing.advance(at + 3 * minute)] == [Charge(order="12:03")]


def test_jobs_of_a_database_that_no_test_was_given_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with testing.isolated():
        runtime.configure(database=f"sqlite:///{tmp_path / 'production.db'}")
        with pytest.raises(runtime.WrongState, match=r"would run the jobs that wait in sqlite:.*production\.db: wrap the test in"):
            testing.drain()
