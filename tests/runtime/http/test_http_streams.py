"""Streams over HTTP: any part, while they grow, over a replaced attempt; as bytes and in frames."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
import pytest

from guardrails.runtime.home import home
from tests.runtime.http import shop
from tests.runtime.http.served import Frame, Served, following


def text(frames: list[Frame]) -> bytes:
    return b"".join(base64.b64decode(frame.data["data"]) for frame in frames if frame.event == "chunk")


def test_bytes_come_from_any_offset_with_what_is_known_of_them(client: httpx.Client) -> None:
    job = shop.order("7")
    run = shop.started(job)
    shop.wrote(run, b"hello ")
    shop.wrote(run, b"world", last=True)
    whole = client.get(f"/api/tasks/{job}/stream")
    assert (whole.content, whole.headers["content-type"]) == (b"hello world", "text/csv")
    told = {name: whole.headers[f"guardrails-{name}"] for name in ("run", "offset", "length", "complete")}
    assert told == {"run": "1", "offset": "0", "length": "11", "complete": "true"}
    assert client.get(f"/api/tasks/{job}/stream?offset=4").content == b"o world"
    assert client.get(f"/api/tasks/{job}/stream?offset=11").content == b""
    beyond = client.get(f"/api/tasks/{job}/stream?offset=12")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */11")
    assert client.head(f"/api/tasks/{job}/stream").headers["guardrails-length"] == "11"
    [known] = client.get(f"/api/tasks/{job}").json()["streams"]
    assert (known["name"], known["length"], known["closed"]) == ("output", 11, True)
    assert client.get(known["url"]).content == b"hello world"


def test_a_stream_is_followed_while_it_grows_and_ends_with_it(client: httpx.Client) -> None:
    job = shop.order("7")
    run = shop.started(job)
    shop.wrote(run, b"one ")
    with client.stream("GET", f"/api/tasks/{job}/stream?follow=true") as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"one "
        shop.wrote(run, b"two ")
        assert next(parts) == b"two "
        shop.wrote(run, b"three", last=True)
        assert b"".join(parts) == b"three"


def test_a_stream_that_its_job_never_closed_ends_with_the_job(client: httpx.Client) -> None:
    job = shop.order("7")
    run = shop.started(job)
    shop.wrote(run, b"one ")
    with client.stream("GET", f"/api/tasks/{job}/stream?follow=true") as answer:
        parts = answer.iter_raw()
        assert next(parts) == b"one "
        shop.failed(run)
        assert list(parts) == []


def test_an_offset_of_a_replaced_attempt_is_reset(client: httpx.Client) -> None:
    job = shop.order("7")
    first = shop.started(job)
    shop.wrote(first, b"from the first")
    with (
        client.stream("GET", f"/api/tasks/{job}/stream?follow=true") as answer,
        following(client, f"/api/tasks/{job}/stream?follow=true") as told,
    ):
        parts = answer.iter_raw()
        assert next(parts) == b"from the first"
        assert [next(told).event for _ in range(2)] == ["stream", "chunk"]
        shop.failed(first, dead=False)
        second = shop.started(job, attempt=2)
        shop.wrote(second, b"second", last=True)
        assert list(parts) == [], "bytes alone cannot tell of the reset, so they end"
        frames = list(told)
    assert [frame.event for frame in frames] == ["reset", "chunk", "end"]
    assert (frames[0].id, text(frames), frames[-1].data) == ("2:0", b"second", {"run": 2, "offset": 6, "complete": True})
    again = client.get(f"/api/tasks/{job}/stream?run=1&offset=14")
    assert (again.content, again.headers["guardrails-reset"], again.headers["guardrails-offset"]) == (b"second", "true", "0")
    assert "guardrails-reset" not in client.get(f"/api/tasks/{job}/stream?run=2&offset=1").headers


def test_all_attempts_are_told_apart_in_frames_only(client: httpx.Client) -> None:
    job = shop.order("7")
    first = shop.started(job)
    shop.wrote(first, b"first")
    shop.failed(first, dead=False)
    shop.wrote(shop.started(job, attempt=2), b"second", last=True)
    path = f"/api/tasks/{job}/stream?all_attempts=true"
    assert client.get(path).status_code == 406
    with following(client, path) as told:
        frames = [frame for frame in told if frame.event == "chunk"]
    assert [(frame.data["run"], frame.data["offset"]) for frame in frames] == [(1, 0), (2, 0)]
    assert text(frames) == b"firstsecond"


def test_frames_go_on_over_a_restart_where_the_reader_stands(serve: Callable[..., Served]) -> None:
    job, served = shop.order("7"), serve(heartbeat=0.1)
    run, client = shop.started(job), served.client()
    path = f"/api/tasks/{job}/stream?follow=true"
    with following(client, path) as told:
        assert next(told).comments == ["still here"], "the stream is awaited"
        shop.wrote(run, b"one ")
        named = (frame for frame in told if frame.event)
        assert next(named).event == "stream"
        frames = [next(named)]
        served.stop()
        assert list(named) == []
    shop.wrote(run, b"two ")
    served.start()
    with following(client, path, frames[-1].id) as told:
        named = (frame for frame in told if frame.event)
        assert next(named).event == "stream"
        frames.append(next(named))
        shop.wrote(run, b"three", last=True)
        frames += list(named)
    assert text(frames) == b"one two three"
    assert client.get(path, headers={"Accept": "text/event-stream", "Last-Event-ID": "1:13"}).status_code == 204


def test_a_place_that_is_none_of_the_stream_s_is_reset(client: httpx.Client) -> None:
    job = shop.order("7")
    shop.wrote(shop.started(job), b"one", last=True)
    for last in ("1:99", "odd", "99:1"):
        with following(client, f"/api/tasks/{job}/stream", last) as told:
            frames = list(told)
        assert [frame.event for frame in frames if frame.event != "stream"] == ["reset", "chunk", "end"]
        assert text(frames) == b"one"
    with following(client, "/api/tasks/gone/stream", "1:3") as told:
        assert [(frame.event, frame.id) for frame in told] == [("reset", "")]


def test_megabytes_come_whole(client: httpx.Client) -> None:
    job = shop.order("7")
    run = shop.started(job)
    parts = [bytes([number]) * 700_001 for number in range(7)]
    for part in parts:
        shop.wrote(run, part)
    assert client.get(f"/api/tasks/{job}/stream").content == b"".join(parts)
    assert client.get(f"/api/tasks/{job}/stream?offset=1400003").content == b"".join(parts)[1_400_003:]
    with following(client, f"/api/tasks/{job}/stream?offset=700000") as told:
        assert text(list(told)) == b"".join(parts)[700_000:]


@pytest.mark.parametrize("kind", ["text/html", "text/html\r\nSet-Cookie: a=b", "", "a" * 300, "text/plain; charset=utf-8"])
def test_what_a_job_calls_its_stream_cannot_hurt_the_reader(client: httpx.Client, kind: str) -> None:
    job = shop.order("7")
    shop.wrote(shop.started(job), b"<script>alert(1)</script>", name='a"\r\nX: y/ü', kind=kind, last=True)
    answer = client.get(f"/api/tasks/{job}/stream", params={"name": 'a"\r\nX: y/ü'})
    assert answer.status_code == 200
    assert "x" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''a%22%0D%0AX%3A%20y%2F%C3%BC"
    assert answer.headers["content-type"] == (kind if kind.startswith("text/") and "\r" not in kind else "application/octet-stream")
    assert "sandbox" in answer.headers["content-security-policy"]


def test_a_stream_that_is_not_there_is_not_found(client: httpx.Client) -> None:
    job = shop.order("7")
    assert client.get(f"/api/tasks/{job}/stream").status_code == 404
    assert client.get(f"/api/tasks/{job}/stream?follow=true").status_code == 404
    home().jobs.cancel(job)
    answer = client.get(f"/api/tasks/{job}/stream?follow=true", headers={"Accept": "text/event-stream"})
    assert answer.status_code == 404
    for wrong in ("offset=-1", "offset=x", "run=x", "follow=maybe", "more=1", "name=a&name=b", "name=%00"):
        assert client.get(f"/api/tasks/{job}/stream?{wrong}").status_code == 422
