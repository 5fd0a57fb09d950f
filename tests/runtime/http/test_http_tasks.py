"""Jobs over HTTP: queued, looked at, listed, cancelled, requeued; and everything that is refused."""

from __future__ import annotations

import socket
from collections.abc import Callable

import httpx
import pytest

from guardrails.runtime.errors import DatabaseRefused
from guardrails.runtime.home import home
from guardrails.runtime.http import book
from guardrails.runtime.store.reading import Reading
from tests.runtime.http import shop
from tests.runtime.http.served import KEY, OLD, Served

HEAD = f"POST /api/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
CHARGE = {"job": "http-charge", "payload": {"order_id": "7"}}


def jobs() -> int:
    return len(Reading(home().database).jobs())


def problem(response: httpx.Response, status: int) -> dict[str, object]:
    """A problem of a status: JSON, with a sentence, without a traceback."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == status
    assert told["detail"].endswith(".")
    assert "Traceback" not in response.text
    return dict(told)


def test_a_job_is_queued_once_and_its_place_is_told(client: httpx.Client) -> None:
    first, second = client.post("/api/tasks", json=CHARGE), client.post("/api/tasks", json=CHARGE)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == {"id": first.json()["id"], "name": "http-charge", "key": "7", "created": True, "url": first.headers["location"]}
    assert second.json() == first.json() | {"created": False}
    seen = client.get(first.headers["location"]).json()
    assert (seen["status"], seen["queue"], seen["runs"], seen["attempts"]) == ("queued", "orders", 0, 5)
    assert jobs() == 1


def test_what_is_sensitive_is_never_shown(client: httpx.Client) -> None:
    job = client.post("/api/tasks", json={"job": "http-charge", "payload": {"order_id": "7", "card": shop.CARD}}).json()["id"]
    run = shop.started(job)
    shop.logged(run, f"paid with {shop.CARD}")
    shop.progress(run, 1, note=f"card {shop.CARD}")
    shop.failed(run, f"the bank refused {shop.CARD}")
    here = f"/api/tasks/{job}"
    told = [client.get(path).text for path in (here, f"{here}/log", f"{here}/events", "/api/tasks")]
    assert all(shop.CARD not in text for text in told)
    assert client.get(here).json()["payload"] == {"order_id": "7", "card": "[redacted]", "note": ""}
    assert client.get(here).json()["error"] == "the bank refused [redacted]"


def test_a_delayed_job_is_due_later(client: httpx.Client) -> None:
    seen = client.get(client.post("/api/tasks", json=CHARGE | {"delay": 60}).headers["location"]).json()
    assert seen["due"] - seen["created"] == pytest.approx(60, abs=5)


def test_another_payload_under_the_same_key_is_a_conflict_that_names_the_first(client: httpx.Client) -> None:
    first = client.post("/api/tasks", json=CHARGE).json()["id"]
    answer = client.post("/api/tasks", json={"job": "http-charge", "payload": {"order_id": "7", "note": "other"}})
    assert problem(answer, 409)["job"] == first
    assert answer.headers["location"] == f"/api/tasks/{first}"


REFUSED: list[tuple[object, int, str]] = [
    ({"job": "nobody", "payload": {}}, 404, "nobody"),
    ({"job": "http-charge", "payload": {}}, 422, "order_id"),
    ({"job": "http-charge", "payload": {"order_id": 7}}, 422, "order_id"),
    ({"job": "http-charge", "payload": [1]}, 422, "Order"),
    ({"job": "http-charge", "payload": {"order_id": "x" * 70_000}}, 422, "65,536"),
    ({"job": "http-charge", "payload": {"order_id": "a\0b"}}, 422, "NUL"),
    ({"job": "http-charge", "payload": {"order_id": "7"}, "delay": -1}, 422, "delay"),
    ({"job": "http-charge", "payload": {"order_id": "7"}, "delay": 1e12}, 422, "year"),
    ({"job": "http-charge", "payload": {"order_id": "7"}, "priority": 1}, 422, "priority"),
    ({"job": "http-charge"}, 422, "payload"),
    ({"job": "a\0b", "payload": {}}, 422, "NUL"),
    ([], 422, "array"),
]


def test_what_cannot_be_queued_is_refused_with_a_reason(client: httpx.Client) -> None:
    for body, status, word in REFUSED:
        assert word in str(problem(client.post("/api/tasks", json=body), status)["detail"])
    assert jobs() == 0


def test_a_refused_value_that_is_sensitive_is_not_told_back(client: httpx.Client) -> None:
    answer = client.post("/api/tasks", json={"job": "http-charge", "payload": {"order_id": "7", "card": ["hunter2"]}})
    assert "hunter2" not in str(problem(answer, 422))


def test_what_is_no_json_is_refused(client: httpx.Client) -> None:
    for body in (b"", b"{", b"\xff\xfe", b'"\\ud800"', b'{"job": "x", "payload": ' + b"[" * 100_000):
        problem(client.post("/api/tasks", content=body, headers={"content-type": "application/json"}), 400)
    deep = b'{"job": "http-charge", "payload": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    assert client.post("/api/tasks", content=deep, headers={"content-type": "application/json"}).status_code in (400, 422)


def test_another_type_than_json_is_refused(client: httpx.Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        problem(
            client.post("/api/tasks", content=b'{"job": "http-charge", "payload": {"order_id": "7"}}', headers={"content-type": kind}), 415
        )
    assert jobs() == 0


def test_a_large_body_is_refused_by_what_it_announces(client: httpx.Client) -> None:
    problem(client.post("/api/tasks", content=b" " * 131_073, headers={"content-type": "application/json"}), 413)


def test_a_large_body_without_a_length_is_refused_while_it_comes(served: Served) -> None:
    """The body never ends: only a limit that counts can answer."""
    head = HEAD + "Transfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(head.encode())
        for _ in range(33):
            connection.sendall(b"1000\r\n" + b" " * 4096 + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413")


def test_a_body_that_comes_too_slowly_is_given_up(serve: Callable[..., Served]) -> None:
    served = serve(body_seconds=0.2)
    head = HEAD + "Content-Length: 50\r\n\r\n{"
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(65_536).startswith(b"HTTP/1.1 408")


def test_only_a_key_opens_the_api(served: Served) -> None:
    with served.client(None) as client:
        for key in (KEY, OLD):
            assert client.get("/api/tasks", headers={"Authorization": f"Bearer {key}"}).status_code == 200
        for wrong in ("Bearer", f"Bearer {KEY[:-1]}", f"Bearer {KEY}x", f"Bearer {'é' * 24}", f"Basic {KEY}", KEY):
            assert problem(client.get("/api/tasks", headers={"Authorization": wrong.encode()}), 401)
        twice = client.get("/api/tasks", headers=[("Authorization", f"Bearer {KEY}"), ("Authorization", "Bearer x")])
        assert twice.status_code == 401
        assert twice.headers["www-authenticate"] == "Bearer"


def test_nothing_of_the_api_is_open(served: Served) -> None:
    reading = [
        "/api/tasks",
        *(f"/api/tasks/x{part}" for part in ("", "/events", "/stream", "/log")),
        "/api/work",
        "/metrics",
        "/health/ready",
    ]
    writing = ["/api/tasks", "/api/tasks/x/cancel", "/api/tasks/x/requeue", "/api/work", "/api/login-links"]
    with served.client(None) as client:
        for method, path in [*(("GET", path) for path in reading), *(("POST", path) for path in writing), ("PATCH", "/api/work/x")]:
            problem(client.request(method, path), 401)


def test_every_answer_has_the_headers_that_keep_browsers_safe_and_no_cors(served: Served, client: httpx.Client) -> None:
    paths = ("/api/tasks", "/nowhere", "/health/live", "/", "/login", "/api/tasks/x/stream")
    for answer in (client.get(path, headers={"Origin": "https://evil.example"}) for path in paths):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not any(name.startswith("access-control") or name == "server" for name in answer.headers)


def test_an_address_that_is_not_there_and_a_method_that_is_not_known_are_problems(client: httpx.Client) -> None:
    problem(client.get("/api/nothing"), 404)
    problem(client.delete("/api/tasks"), 405)
    problem(client.get("/api/tasks/nothing"), 404)
    job = shop.order("7")
    problem(client.get(f"/api/tasks/{job[:-1]}"), 404)


PARTS = [("GET", ""), ("GET", "/log"), ("GET", "/events"), ("GET", "/stream"), ("POST", "/cancel"), ("POST", "/requeue")]


def test_a_job_that_is_not_there_is_told_by_its_id_alone(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for method, part in PARTS:
        assert problem(client.request(method, f"/api/tasks/none{part}"), 404)["detail"] == "There is no job none."
    monkeypatch.setattr(book, "task", lambda _job: None)  # it goes while it is asked for
    for part in ("/cancel", "/requeue"):
        assert problem(client.post(f"/api/tasks/none{part}"), 404)["detail"] == "There is no job none."


def test_an_id_that_no_database_keeps_is_not_there(served: Served, client: httpx.Client) -> None:
    for method, part in PARTS:
        problem(client.request(method, f"/api/tasks/a%00b{part}"), 404)
    problem(client.get("/api/work/a%00b"), 404)
    problem(client.patch("/api/work/%00", json={"status": "done"}), 404)
    client.get("/login", params={"token": served.desk.sessions.link()})
    for path in ("/jobs/%00", "/jobs/%00/stream"):
        assert client.get(path).status_code == 404


def test_a_database_that_refuses_is_not_named(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise DatabaseRefused(f"The database {home().database.shown} refused: no.")

    monkeypatch.setattr(book, "reading", refused)
    for path in ("/api/tasks", "/api/tasks/none", "/health/ready"):
        assert home().database.shown not in str(problem(client.get(path), 503))


def test_a_failure_of_ours_is_a_problem_without_a_traceback(served: Served, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardrails.runtime.http.book.reading", lambda: 1 / 0)
    answer = client.get("/api/tasks")
    assert "division" not in str(problem(answer, 500))
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_jobs_are_listed_by_page_and_filter(client: httpx.Client) -> None:
    ids = [shop.order(str(number)) for number in range(5)]
    shop.count.enqueue(shop.Other(number=1))
    shop.finished(shop.started(ids[0]))
    page = client.get("/api/tasks", params={"limit": 2, "queue": "orders"}).json()
    found = [task["id"] for task in page["tasks"]]
    while page["next"]:
        page = client.get(page["next"]).json()
        found += [task["id"] for task in page["tasks"]]
    assert found == ids[::-1]
    assert [task["id"] for task in client.get("/api/tasks?status=done&status=dead").json()["tasks"]] == [ids[0]]
    assert len(client.get("/api/tasks?name=http-%3Cb%3Ecount%3C/b%3E").json()["tasks"]) == 1
    for wrong in ("limit=0", "limit=201", "limit=x", "status=odd", "more=1", "limit=1&limit=2", "queue=%00"):
        problem(client.get(f"/api/tasks?{wrong}"), 422)


def test_a_waiting_job_is_cancelled_and_requeued(client: httpx.Client) -> None:
    job = shop.order("7")
    here = f"/api/tasks/{job}"
    assert client.post(f"{here}/cancel").json()["status"] == "cancelled"
    assert "queued" in str(problem(client.post(f"{here}/cancel"), 409)["detail"])
    again = client.post(f"{here}/requeue", json={"from_start": True})
    assert (again.status_code, again.json()["status"], again.json()["generation"], again.headers["location"]) == (202, "queued", 2, here)
    problem(client.post(f"{here}/requeue"), 409)
    problem(client.post(f"{here}/requeue", json={"from_start": "yes"}), 422)
    problem(client.post("/api/tasks/x/requeue"), 404)


def test_a_running_job_is_asked_to_stop(client: httpx.Client) -> None:
    job = shop.order("7")
    shop.started(job)
    told = client.post(f"/api/tasks/{job}/cancel").json()
    assert (told["status"], told["cancel"]) == ("running", True)


def test_the_log_goes_on_where_the_reader_stands(client: httpx.Client) -> None:
    job = shop.order("7")
    run = shop.started(job)
    shop.logged(run, "one", "two", "three")
    first = client.get(f"/api/tasks/{job}/log?limit=2").json()
    rest = client.get(f"/api/tasks/{job}/log?after={first['after']}").json()
    assert [line["message"] for line in first["lines"] + rest["lines"]] == ["one", "two", "three"]
    assert client.get(f"/api/tasks/{job}/log?after={rest['after']}").json() == {"lines": [], "after": rest["after"]}
