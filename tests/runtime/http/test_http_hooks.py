"""Webhooks over HTTP: the signature over the raw body first, a job once for each event."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from guardrails.runtime import settings, signature
from guardrails.runtime.declare import registry
from guardrails.runtime.errors import DeclarationError
from guardrails.runtime.home import home
from guardrails.runtime.http import Serving, desk, service
from guardrails.runtime.secret import SecretRef
from guardrails.runtime.store.reading import Reading
from guardrails.runtime.webhooks import webhook
from tests.runtime.http import shop
from tests.runtime.http.served import KEY, Served

SECRET = "It's a Secret to Everybody"


def declared(**options: Any) -> None:
    """Declare the webhook."""
    usual: dict[str, Any] = {"payload": lambda event: shop.Order(order_id=str(event["number"])) if event["number"] else None}
    webhook("/hooks/github", verify=signature.github(SecretRef("HOOK_SECRET")), job=shop.charge, body_limit=1000, **usual | options)


@pytest.fixture
def secret(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    settings.configure(database=database)


@pytest.fixture
def hooked(secret: None) -> None:
    declared()


@pytest.fixture
def hooks(hooked: None, served: Served) -> httpx.Client:
    return served.client(None)


def signed(event: object, delivery: str = "d1", secret: str = SECRET) -> dict[str, Any]:
    body = json.dumps(event).encode()
    code = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"content": body, "headers": {"X-Hub-Signature-256": f"sha256={code}", "X-GitHub-Delivery": delivery}}


def jobs() -> list[str]:
    return [seen.key for seen in Reading(home().database).jobs()]


def test_an_event_is_queued_once_however_often_it_is_replayed(hooks: httpx.Client) -> None:
    answers = [hooks.post("/hooks/github", **signed({"number": 7})) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert jobs() == ["d1"]
    assert hooks.post("/hooks/github", **signed({"number": 8})).headers["location"] == answers[0].headers["location"]
    assert jobs() == ["d1"], "another body under the same id is the first one's"


def test_a_signature_over_other_bytes_queues_nothing(hooks: httpx.Client) -> None:
    good = signed({"number": 7})
    wrong = [
        {**good, "content": good["content"] + b" "},
        signed({"number": 7}, secret="another"),
        {"content": good["content"]},
        {"content": good["content"], "headers": [("X-Hub-Signature-256", good["headers"]["X-Hub-Signature-256"])] * 2},
    ]
    for request in wrong:
        answer = hooks.post("/hooks/github", **request)
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
        assert SECRET not in answer.text
    assert jobs() == []


def test_an_event_to_ignore_is_taken_and_one_that_does_not_fit_is_refused(hooks: httpx.Client) -> None:
    assert hooks.post("/hooks/github", **signed({"number": 0})).json() == {"ignored": True}
    assert hooks.post("/hooks/github", **signed({"other": 1})).status_code == 422
    assert hooks.post("/hooks/github", **signed([])).status_code == 400
    assert hooks.get("/hooks/github").status_code == 405
    assert jobs() == []


def test_a_body_over_the_hook_s_limit_is_refused_while_it_comes(hooked: None, served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(b"POST /hooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b" " * 1001 + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")


def test_functions_that_hang_hold_up_webhooks_alone(secret: None, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "PATIENCE", 0.2)
    went_in, go_on = threading.Semaphore(0), threading.Event()

    def hangs(event: dict[str, Any]) -> None:
        went_in.release()
        go_on.wait(60)

    declared(payload=hangs)
    served = serve()
    with ThreadPoolExecutor(8) as pool, served.client() as client:
        try:
            taken = [pool.submit(client.post, "/hooks/github", **signed({"number": 7})) for _ in range(4)]
            assert all(went_in.acquire(timeout=30) for _ in taken)
            refused = [pool.submit(client.post, "/hooks/github", **signed({"number": 7})) for _ in range(4)]
            assert [(one.result().status_code, one.result().headers["retry-after"]) for one in refused] == [(503, "5")] * 4
            assert client.get("/health/ready").status_code == 200
        finally:
            go_on.set()
        assert [one.result().json() for one in taken] == [{"ignored": True}] * 4


def test_a_key_is_text_or_a_whole_number(secret: None, serve: Callable[..., Served]) -> None:
    declared(key=lambda event: event["key"])
    with serve().client(None) as client:
        for key in ({"a": 1}, ["x"], 1.5, True):
            answer = client.post("/hooks/github", **signed({"number": 7, "key": key}))
            assert (answer.status_code, "text or a whole number" in answer.json()["detail"]) == (422, True), key
        assert jobs() == []
        assert client.post("/hooks/github", **signed({"number": 7, "key": 5})).status_code == 202
    assert jobs() == ["5"]


def test_a_secret_that_nobody_holds_or_a_path_of_ours_stops_the_start(hooked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    declare: Callable[..., object] = webhook
    declare("/api/hook", verify=signature.github(SecretRef("NOT_SET")), job=shop.charge, payload=lambda event: None)
    monkeypatch.delenv("HOOK_SECRET")
    with pytest.raises(DeclarationError) as refused:
        service(Serving((KEY,)))
    told = str(refused.value)
    assert told.count("HOOK_SECRET") == 1
    assert told.count("NOT_SET") == 1
    assert "below /hooks/" in told
    registry.webhooks.clear()
    service(Serving((KEY,)))
