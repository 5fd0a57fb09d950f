"""Following a job: in order, from where the follower stands, over restarts, and no longer than there is something to tell."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from guardrails.runtime.home import home
from guardrails.runtime.store.upkeep import Upkeep
from tests.runtime.http import shop
from tests.runtime.http.served import KEY, OLD, Served, following
from tests.runtime.servers import Postgres
from tests.runtime.workers import wait_for


def test_a_life_is_told_as_it_happens_and_ends_with_the_job(client: httpx.Client) -> None:
    job = shop.order("7")
    with following(client, f"/api/tasks/{job}/events") as told:
        assert (first := next(told)).event == "Queued"
        assert first.data == {"job": job, "seq": 1, "type": "Queued", "run": 0, "at": first.data["at"], "data": {}}
        run = shop.started(job)
        assert next(told).event == "Started"
        shop.progress(run, 3, 10, "rows")
        assert next(told).data["data"] == {"done": 3, "total": 10, "note": "rows"}
        shop.finished(run)
        assert (next(told).event, list(told)) == ("Done", [])


def test_a_job_that_was_requeued_is_followed_past_its_death(client: httpx.Client) -> None:
    job = shop.order("7")
    shop.failed(shop.started(job))
    home().jobs.requeue(job)
    with following(client, f"/api/tasks/{job}/events") as told:
        seen = [next(told).event for _ in range(5)]
        assert seen == ["Queued", "Started", "AttemptFailed", "DeadLettered", "Requeued"]
        shop.finished(shop.started(job, generation=2))
        assert [frame.event for frame in told] == ["Started", "Done"]


def test_over_restarts_nothing_is_lost_and_nothing_is_told_twice(served: Served, client: httpx.Client) -> None:
    """The service is stopped while a job goes on; each time the follower comes back with the last id that it saw."""
    job = shop.order("7")
    run, numbers, last = shop.started(job), [], None
    for part in range(3):
        with following(client, f"/api/tasks/{job}/events", last) as told:
            for _ in range(2 if part else 4):
                if part == 0 and len(numbers) == 2:
                    shop.progress(run, 1)
                    shop.progress(run, 2)
                frame = next(told)
                numbers.append(int(str(frame.id)))
                last = frame.id
            served.stop()
            assert list(told) == [], "the service lets its followers go, without an end of the job"
        shop.progress(run, 10 * part)
        shop.progress(run, 10 * part + 1)
        served.start()
    shop.finished(run)
    with following(client, f"/api/tasks/{job}/events", last) as told:
        numbers += [int(str(frame.id)) for frame in told]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) == 11


def test_whoever_has_seen_the_end_is_told_to_stay_away(client: httpx.Client) -> None:
    job = shop.order("7")
    home().jobs.cancel(job)
    assert client.get(f"/api/tasks/{job}/events", headers={"Last-Event-ID": "2"}).status_code == 204
    assert client.head(f"/api/tasks/{job}/events").status_code == 200


def test_a_place_that_is_none_of_this_job_s_is_reset(client: httpx.Client) -> None:
    job = shop.order("7")
    home().jobs.cancel(job)
    for last in ("99", "-1", "seven", "1.5", "1:2"):
        with following(client, f"/api/tasks/{job}/events", last) as told:
            frames = list(told)
        assert [frame.event for frame in frames] == ["reset", "Queued", "Cancelled"]
        assert frames[0].id == ""


def test_a_follower_of_a_pruned_job_is_reset_and_then_finds_nothing(client: httpx.Client) -> None:
    job = shop.order("7")
    home().jobs.cancel(job)
    Upkeep(home().database, home().client).remove([job])
    with following(client, f"/api/tasks/{job}/events", "2") as told:
        assert [(frame.event, frame.id) for frame in told] == [("reset", "")]
    assert client.get(f"/api/tasks/{job}/events").status_code == 404


def test_a_job_that_is_pruned_while_it_is_followed_ends_in_a_reset(client: httpx.Client) -> None:
    job = shop.order("7")
    with following(client, f"/api/tasks/{job}/events") as told:
        next(told)
        tables = home().database.tables
        with home().database.begin() as connection:
            connection.execute(sa.delete(tables.job).where(tables.job.c.id == job))
        assert [frame.event for frame in told] == ["reset"]


def test_while_nothing_happens_there_is_a_heartbeat(serve: Callable[..., Served]) -> None:
    job = shop.order("7")
    with serve(heartbeat=0.1).client() as client, following(client, f"/api/tasks/{job}/events") as told:
        next(told)
        assert [next(told).comments for _ in range(3)] == [["still here"]] * 3
        shop.started(job)
        assert next(frame for frame in told if frame.event).event == "Started"


def test_a_key_s_followers_are_counted_and_leaving_frees_a_seat(serve: Callable[..., Served]) -> None:
    job, served = shop.order("7"), serve(followers=2, heartbeat=0.1)
    path = f"/api/tasks/{job}/events"
    with served.client() as client, contextlib.ExitStack() as open_ones:
        first = open_ones.enter_context(following(client, path))
        second = open_ones.enter_context(following(client, f"/api/tasks/{job}/stream?follow=true"))
        next(first), next(second)
        answer = client.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        with served.client(OLD) as other, following(other, path) as told:
            assert next(told).event == "Queued"
        open_ones.close()
        wait_for("the seats are free", lambda: client.get("/metrics").text.count("guardrails_http_followers 0.0") == 1)
        with following(client, path) as told:
            assert next(told).event == "Queued"


def test_a_follower_that_reads_nothing_is_let_go(serve: Callable[..., Served]) -> None:
    """The client takes the headers and then sleeps, while there are megabytes to tell."""
    job, served = shop.order("7"), serve(stall=0.3)
    run = shop.started(job)
    for _ in range(24):
        shop.wrote(run, b"x" * 1_000_000)
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(f"GET /api/tasks/{job}/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
        assert connection.recv(12).startswith(b"HTTP/1.1 200")
        wait_for("the seat is free", lambda: not any(served.desk._followers.values()))


def test_many_followers_share_one_look(served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many follow, the database is asked once a turn which of their jobs have moved."""
    from guardrails.runtime.http import book

    asked: list[tuple[str, ...]] = []
    look, jobs = book.states, sorted(shop.order(str(number)) for number in range(4))
    monkeypatch.setattr(book, "states", lambda ids: (asked.append(tuple(ids)), look(ids))[1])
    with contextlib.ExitStack() as open_ones:
        told = [open_ones.enter_context(following(client, f"/api/tasks/{job}/events")) for job in jobs for _ in range(2)]
        for one in told:
            next(one)
        wait_for("all are watched", lambda: tuple(jobs) in asked)
        for job in jobs:
            home().jobs.cancel(job)
        assert [[frame.event for frame in one] for one in told] == [["Cancelled"]] * 8
    assert all(len(set(ids)) == len(ids) for ids in asked)


@contextlib.contextmanager
def gone(request: pytest.FixtureRequest, url: str) -> Iterator[None]:
    """The database cannot be reached."""
    if url.startswith("sqlite"):
        path = Path(str(sa.make_url(url).database))
        away = path.parent.with_name(f"{path.parent.name}-away")
        home().database.close()
        path.parent.rename(away)
        yield
        away.rename(path.parent)
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = sa.make_url(url).database
    server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    yield
    server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def test_a_database_that_is_gone_for_a_while_is_told_and_survived(
    served: Served, client: httpx.Client, database: str, request: pytest.FixtureRequest
) -> None:
    job = shop.order("7")
    with following(client, f"/api/tasks/{job}/events") as told:
        next(told)
        with gone(request, database):
            for path in ("/api/tasks", f"/api/tasks/{job}", "/health/ready", "/metrics"):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
                assert "password" not in answer.text
            asked = client.post("/api/tasks", json={"job": "http-charge", "payload": {"order_id": "8"}})
            assert asked.status_code == 503
            assert client.get("/health/live").status_code == 200
        wait_for("it is back", lambda: client.get("/health/ready").status_code == 200)
        assert client.post("/api/tasks", json={"job": "http-charge", "payload": {"order_id": "8"}}).json()["created"] is True
        shop.finished(shop.started(job))
        assert [frame.event for frame in told if frame.event] == ["Started", "Done"]


def test_events_told_by_many_writers_come_in_order_and_once(client: httpx.Client) -> None:
    job = shop.order("7")
    run = shop.started(job)
    with following(client, f"/api/tasks/{job}/events") as told:
        writers = [threading.Thread(target=lambda: [shop.progress(run, number) for number in range(10)]) for _ in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        shop.finished(run)
        numbers = [int(str(frame.id)) for frame in told]
    assert numbers == list(range(1, 34))
