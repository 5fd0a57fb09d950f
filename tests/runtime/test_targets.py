"""Jobs that are done over HTTP, callbacks that tell outcomes, and schedules, with a real server and real workers' code."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import destinations, scheduled
from guardrails.runtime.declare import registry
from guardrails.runtime.home import home
from guardrails.runtime.store.jobs import Ending
from guardrails.runtime.store.reading import Reading


class Report(BaseModel):
    month: str


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A server that keeps what it gets: (headers, JSON)."""
    got: list[tuple[dict[str, str], Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            got.append((dict(self.headers), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    monkeypatch.setenv("OUT", "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        network = destinations._Network(resolve=lambda *_: ["127.0.0.1"], refusal=lambda _: None)
        port = server.server_port
        there = destinations.http(
            f"http://hooks.example:{port}/in", secret=runtime.SecretRef("OUT"), ports=[port], allow_http=True, _network=network
        )
        yield there, got
        server.shutdown()


def test_a_job_may_be_done_by_a_destination(database: str, server: Any) -> None:
    there, got = server
    report = runtime.http_job("report", Report, there, key=lambda p: p.month)
    ran = runtime.testing.run(report, Report(month="2026-11"))
    assert ran.result == {"status": 204}
    headers, body = got[0]
    assert body == {"type": "report", "data": {"month": "2026-11"}}
    assert headers["Idempotency-Key"] == "2026-11"


def test_an_outcome_is_told_to_the_callback_by_a_job_of_its_own(database: str, server: Any) -> None:
    there, got = server

    @runtime.job(timeout=5, key=lambda p: p.month, callback=there)
    def bill(p: Report) -> None: ...

    handle = bill.enqueue(Report(month="2026-11"))
    jobs = home().jobs
    started = jobs.start(handle.id, 1, 1, "w")
    assert started is not None
    assert jobs.end(started, Ending("done", [("Done", {})], counts=False, result="null"))
    assert not jobs.end(started, Ending("dead", [("DeadLettered", {})], counts=True)), "one outcome"
    [callback] = [seen for seen in Reading(home().database).jobs() if seen.name == "guardrails-callback"]
    assert callback.status == "queued"
    [drained] = runtime.testing.drain()
    assert (drained.name, drained.status) == ("guardrails-callback", "done")
    assert got[0][1] == {"type": "job.done", "data": {"job": handle.id, "name": "bill", "key": "2026-11", "status": "done"}}


def test_a_tick_is_queued_once_by_whichever_worker_sees_it(database: str) -> None:
    @runtime.job(timeout=5, key=lambda p: p.month)
    def close(p: Report) -> None: ...

    runtime.schedule("monthly", "0 0 1 * *", close, payload=lambda at: Report(month=f"{at:%Y-%m}"))
    start = datetime(2026, 11, 20, tzinfo=UTC).timestamp()
    assert scheduled.tick(home(), start) == [], "a new schedule begins now"
    december = datetime(2026, 12, 1, 0, 0, 5, tzinfo=UTC).timestamp()
    first = scheduled.tick(home(), december)
    assert len(first) == 1
    assert scheduled.tick(home(), december) == [], "the second worker finds it done"
    assert scheduled.tick(home(), start) == [], "nor does a clock that jumps back repeat it"
    seen = Reading(home().database).job(first[0])
    assert (seen.key, json.loads(seen.payload)) == ("monthly@2026-12-01T00:00:00Z", {"month": "2026-12"})


def test_a_tick_is_skipped_while_the_job_of_the_last_one_waits(database: str) -> None:
    @runtime.job(timeout=5, key=lambda p: p.month)
    def poll(p: Report) -> None: ...

    runtime.schedule("poll", every=60.0, target=poll, payload=Report(month="x"))
    scheduled.tick(home(), 1_800_000_000.0)
    [first] = scheduled.tick(home(), 1_800_000_061.0)
    assert scheduled.tick(home(), 1_800_000_121.0) == []
    started = home().jobs.start(first, 1, 1, "w")
    assert started is not None
    home().jobs.end(started, Ending("done", [("Done", {})], counts=False))
    assert len(scheduled.tick(home(), 1_800_000_181.0)) == 1


def test_a_schedule_without_rhythm_or_with_two_is_refused(database: str) -> None:
    job = next(iter(registry.jobs.values()), None)
    for words in ({}, {"cron": "0 0 * * *", "every": 5.0}):
        with pytest.raises(runtime.DeclarationError, match="either a cron expression"):
            runtime.schedule("both", target=job, **words)
    with pytest.raises(runtime.DeclarationError, match="its target is"):
        runtime.schedule("odd", every=5.0, target="https://example.com")


def test_a_payload_function_that_fails_or_hangs_holds_up_no_other_schedule(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduled, "MAKING", 0.1)
    end = threading.Event()

    @runtime.job(timeout=5, key=lambda p: p.month)
    def poll(p: Report) -> None: ...

    def fails(tick: datetime) -> Report:
        raise ValueError(tick)

    def hangs(tick: datetime) -> Report:
        end.wait()
        return Report(month="late")

    for name, payload in (("fails", fails), ("hangs", hangs), ("works", Report(month="x"))):
        runtime.schedule(name, every=60.0, target=poll, payload=payload)
    start = 1_800_000_000.0
    scheduled.tick(home(), start)
    ran = [scheduled.tick(home(), start + 61.0 * number) for number in (1, 2)]
    end.set()
    keys = {seen.key for seen in Reading(home().database).jobs()}
    assert [len(ids) for ids in ran] == [1, 0]
    assert keys == {f"works@{datetime.fromtimestamp(start + 60, UTC):%Y-%m-%dT%H:%M:%SZ}"}


def test_two_releases_with_two_rhythms_both_tick(database: str) -> None:
    """A canary, or a worker that was forgotten, must not silence a schedule."""

    @runtime.job(timeout=5, key=lambda p: p.month)
    def poll(p: Report) -> None: ...

    start, ran = 1_800_000_000.0, []
    for second in range(0, 500, 10):
        for every in (60.0, 90.0):
            runtime.schedule("poll", every=every, target=poll, payload=Report(month="x"))
            for job in scheduled.tick(home(), start + second):
                ran.append(every)
                runtime.cancel(job)
    assert set(ran) == {60.0, 90.0}
