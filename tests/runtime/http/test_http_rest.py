"""Work items, health and figures over HTTP."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.runtime.http import shop
from tests.runtime.http.served import Served


def test_work_items_are_created_once_listed_and_changed(client: httpx.Client) -> None:
    new = {"title": "Look at <this>", "description": "why", "tags": ["b", "a"], "job": "j1", "key": "a/b ü"}
    first, again = client.post("/api/work", json=new), client.post("/api/work", json=new | {"title": "Other"})
    assert (first.status_code, again.json()) == (201, first.json())
    assert first.json()["tags"] == ["a", "b"]
    place = first.headers["location"]
    assert client.get(place).json() == first.json()
    changed = client.patch(place, json={"status": "done", "tags": []}).json()
    assert (changed["status"], changed["tags"], changed["title"]) == ("done", [], "Look at <this>")
    second = client.post("/api/work", json={"title": "Second"}).json()
    assert {item["id"] for item in client.get("/api/work").json()["items"]} == {first.json()["id"], second["id"]}
    assert [item["id"] for item in client.get("/api/work?status=done&job=j1").json()["items"]] == [first.json()["id"]]


def test_a_work_item_that_is_none_is_refused(client: httpx.Client) -> None:
    for wrong in (
        {},
        {"title": ""},
        {"title": "x" * 201},
        {"title": "  "},
        {"title": "x", "tags": [1]},
        {"title": "a\0"},
        {"title": "x", "more": 1},
    ):
        assert client.post("/api/work", json=wrong).status_code == 422, wrong
    place = client.post("/api/work", json={"title": "x"}).json()["url"]
    assert client.patch(place, json={"status": "odd"}).status_code == 422
    assert client.patch("/api/work/none", json={"status": "done"}).status_code == 404
    assert client.get("/api/work/none").status_code == 404
    assert client.get("/api/work?limit=0").status_code == 422


def test_health_tells_life_to_all_and_readiness_to_a_key(served: Served, client: httpx.Client) -> None:
    with served.client(None) as stranger:
        assert stranger.get("/health/live").json() == {"status": "live"}
        assert stranger.get("/health/ready").status_code == 401
    assert client.get("/health/ready").json() == {"status": "ready", "workers": 0}


def figures(client: httpx.Client) -> dict[tuple[str, ...], float]:
    """Each sample by its name and labels' values."""
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(answer.text)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_figures_count_jobs_enqueues_and_answers(client: httpx.Client) -> None:
    for number in ("7", "7", "8"):
        client.post("/api/tasks", json={"job": "http-charge", "payload": {"order_id": number}})
    client.post("/api/tasks", json={"job": "http-charge", "payload": {"order_id": "7", "note": "x"}})
    client.post("/api/tasks", json={"job": 'a\nb"c', "payload": {}})
    shop.count.enqueue(shop.Other(number=1))
    shop.failed(shop.started(client.get("/api/tasks?name=http-charge").json()["tasks"][0]["id"]))
    client.get("/api/tasks/one")
    client.get("/api/tasks/two")
    client.get("/no/where")
    client.request("BREW", "/api/tasks")
    found = figures(client)
    assert found["guardrails_jobs", "orders", "queued"] == 1
    assert found["guardrails_jobs", "orders", "dead"] == 1
    assert found["guardrails_jobs", "default", "queued"] == 1
    assert found["guardrails_oldest_queued_seconds", "orders"] >= 0
    assert found["guardrails_workers",] == 0
    assert {name[2]: value for name, value in found.items() if name[:2] == ("guardrails_enqueues_total", "http-charge")} == {
        "created": 2,
        "known": 1,
        "conflict": 1,
    }
    assert found["guardrails_enqueues_total", "unknown", "refused"] == 1
    assert found["guardrails_http_requests_total", "GET", "/api/tasks/{id}", "404"] == 2
    assert found["guardrails_http_requests_total", "other", "/api/tasks", "405"] == 1
    assert found["guardrails_http_requests_total", "GET", "none", "404"] == 1
    assert found["guardrails_http_request_seconds_count", "/api/tasks/{id}"] == 2
    assert found["guardrails_http_followers",] == 0


def test_the_longest_wait_is_of_what_is_due(client: httpx.Client) -> None:
    shop.charge.enqueue(shop.Order(order_id="later"), delay=3600)
    assert figures(client)["guardrails_oldest_queued_seconds", "orders"] == 0
