"""The page without its script: signing in once, what is shown, and that only its own forms change anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from guardrails.runtime.home import home
from guardrails.runtime.http.sessions import Sessions
from guardrails.runtime.store.reading import Reading
from tests.runtime.http import shop
from tests.runtime.http.served import Served

HTML = "<img src=x onerror=alert(1)>"


@pytest.fixture
def person(served: Served) -> Iterator[httpx.Client]:
    """Somebody who is signed in."""
    with served.client(None) as client:
        assert client.get("/login", params={"token": served.desk.sessions.link()}).status_code == 200
        yield client


def token(person: httpx.Client, path: str = "/") -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', person.get(path).text)
    assert found
    return found[1]


def status(job: str) -> str:
    return Reading(home().database).job(job).status


def test_a_link_signs_in_once_and_sets_a_cookie_that_no_script_or_site_can_use(served: Served) -> None:
    link = served.desk.sessions.link()
    with served.client(None) as client:
        assert client.get("/").headers["location"] == "/login"
        assert client.head("/login", params={"token": link}).status_code == 200
        answer = client.get("/login", params={"token": link})
        cookie = answer.headers["set-cookie"]
        assert answer.status_code == 200
        assert all(word in cookie.lower() for word in ("httponly", "samesite=strict", "max-age=43200", "path=/"))
        assert client.get("/").status_code == 200
    with served.client(None) as other:
        again = other.get("/login", params={"token": link})
        assert (again.status_code, "set-cookie" in again.headers) == (403, False)
        assert other.get("/").headers["location"] == "/login"
        assert other.get("/", headers={"Cookie": "guardrails_session=odd"}).headers["location"] == "/login"


def test_links_and_sessions_are_over_in_time() -> None:
    now = [0.0]
    sessions = Sessions(600, 3600, clock=lambda: now[0])
    first, late = sessions.link(), sessions.link()
    secret = sessions.enter(first)
    assert secret is not None
    assert sessions.enter(first) is None
    now[0] = 600.0
    assert sessions.enter(late) is None
    assert sessions.of(secret) is not None
    now[0] = 3600.0
    assert sessions.of(secret) is None
    assert sessions.of("") is None


def test_whoever_holds_a_key_gets_another_link(served: Served, client: httpx.Client) -> None:
    made = client.post("/api/login-links")
    assert (made.status_code, made.headers["location"]) == (201, made.json()["url"])
    with served.client(None) as person:
        person.get(made.json()["url"])
        assert person.get("/").status_code == 200
        assert person.get("/api/tasks").status_code == 401, "a session is no key"


def test_signing_out_ends_the_session(person: httpx.Client, served: Served) -> None:
    cookie = dict(person.cookies)
    assert person.post("/logout", data={"csrf": token(person)}, headers={"Origin": served.url}).headers["location"] == "/login"
    with served.client(None, cookies=cookie) as thief:
        assert thief.get("/").headers["location"] == "/login"


def test_only_the_page_s_own_forms_change_anything(person: httpx.Client, served: Served) -> None:
    job = shop.order("7")
    csrf, own = token(person), {"Origin": served.url}
    path = f"/jobs/{job}/cancel"
    other = served.client(None)
    other.get("/login", params={"token": served.desk.sessions.link()})
    wrong: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, own),
        ({"csrf": ""}, own),
        ({"csrf": csrf[:-1]}, own),
        ({"csrf": token(other)}, own),
        ({"csrf": csrf}, {}),
        ({"csrf": csrf}, {"Origin": "null"}),
        ({"csrf": csrf}, {"Origin": "http://evil.example"}),
        ({"csrf": csrf}, {"Origin": f"http://127.0.0.1:{served.port + 1}"}),
        ({"csrf": csrf}, {**own, "Sec-Fetch-Site": "cross-site"}),
    ]
    for data, headers in wrong:
        answer = person.post(path, data=data, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    with served.client(None) as stranger:
        assert stranger.post(path, data={"csrf": csrf}, headers=own).status_code == 403
    assert person.get(path).status_code == 405
    assert status(job) == "queued"
    done = person.post(path, data={"csrf": csrf}, headers=own)
    assert (done.status_code, done.headers["location"], status(job)) == (303, f"/jobs/{job}", "cancelled")


def test_a_dead_job_is_requeued_and_what_cannot_be_is_told(person: httpx.Client, served: Served) -> None:
    job = shop.order("7")
    shop.failed(shop.started(job))
    csrf, own = {"csrf": token(person)}, {"Origin": served.url}
    assert person.post(f"/jobs/{job}/requeue", data=csrf, headers=own).status_code == 303
    assert status(job) == "queued"
    again = person.post(f"/jobs/{job}/requeue", data=csrf, headers=own)
    assert again.status_code == 409
    assert "only a dead or cancelled job" in again.text
    assert person.get("/jobs/none").status_code == 404


def test_the_pages_tell_what_there_is(person: httpx.Client) -> None:
    dead, running, done = shop.order("dead"), shop.order("running"), shop.order("done")
    shop.charge.enqueue(shop.Order(order_id="later"), delay=3600)
    shop.failed(shop.started(dead), "ValueError: as asked")
    shop.progress(shop.started(running), 3, 10, "rows")
    run = shop.started(done)
    shop.logged(run, "a line of the log")
    shop.wrote(run, b"a,b", name="report.csv", last=True)
    shop.finished(run, '{"rows": 12}')
    first = person.get("/").text
    for words in ("ValueError: as asked", "No worker is running", "orders", "rows", "Requeue", "Cancel"):
        assert words in first
    page = person.get(f"/jobs/{done}").text
    for words in ("a line of the log", "report.csv", "&#34;rows&#34;: 12", "[redacted]", "Started"):
        assert words in page
    assert shop.CARD not in page
    assert person.get(f"/jobs/{done}/stream?name=report.csv").content == b"a,b"
    assert running in person.get("/jobs?status=running").text
    assert dead not in person.get("/jobs?status=running&queue=orders").text
    assert person.get("/jobs?status=odd&name=%00&before=x").status_code == 200


def test_what_jobs_say_of_themselves_is_text(person: httpx.Client, served: Served) -> None:
    """HTML in a job's name, key, payload, error, progress, log, stream's name, and in what is asked for."""
    job = shop.charge.enqueue(shop.Order(order_id=HTML, note=HTML)).id
    shop.count.enqueue(shop.Other(number=1))
    run = shop.started(job)
    shop.progress(run, 1, 2, HTML)
    shop.logged(run, HTML)
    shop.wrote(run, b"x", name=HTML, last=True)
    shop.failed(run, HTML)
    for path in ("/", "/jobs", f"/jobs/{job}", f"/jobs?queue={HTML}&name={HTML}", f"/jobs/{HTML}"):
        page = person.get(path).text
        assert HTML not in page
        assert "<b>count</b>" not in page
    assert HTML.replace("<", "&lt;").replace(">", "&gt;") in person.get(f"/jobs/{job}").text


def test_pages_run_their_own_script_alone_and_each_time_under_another_nonce(person: httpx.Client) -> None:
    nonces = set()
    for path in ("/", "/jobs", "/login", "/jobs/none"):
        answer = person.get(path, follow_redirects=True)
        policy = answer.headers["content-security-policy"]
        [nonce] = set(re.findall(r"'nonce-([^']+)'", policy))
        assert set(re.findall(r'<(?:script|style) nonce="([^"]+)"', answer.text)) == {nonce}
        assert "unsafe" not in policy
        assert not re.search(r"<script>|<style>| on\w+=| style=", answer.text)
        nonces.add(nonce)
    assert len(nonces) == 4


def test_many_sign_in_links_cannot_fill_the_memory() -> None:
    sessions = Sessions(600, 3600)
    for _ in range(1100):
        sessions.enter(sessions.link())
        sessions.link()
    assert len(sessions._links) <= 1001
    assert len(sessions._sessions) <= 1001
