"""Upstream events that become jobs: one for each event id, and an answer for whatever else is sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.datastructures import Headers

from guardrails.runtime import settings, signature
from guardrails.runtime.declare import Handle, job, registry
from guardrails.runtime.errors import DatabaseRefused, DeclarationError, KeyConflict, PayloadRefused
from guardrails.runtime.secret import SecretRef
from guardrails.runtime.webhooks import Hook, Reply, receive, webhook

SECRET = "It's a Secret to Everybody"
NOW = 1_750_000_000.0
EVENT = {"action": "opened", "issue": {"number": 7}}


class Triage(BaseModel):
    issue: int


@pytest.fixture(autouse=True)
def _secret() -> Iterator[None]:
    before, settings._current = settings._current, settings.Settings(secrets={"HOOK": SECRET}.get)
    registry.webhooks.clear()
    yield
    registry.webhooks.clear()
    settings._current = before


@job(timeout=30, key=lambda p: str(p.issue), name="webhook-triage")
def triage(p: Triage) -> None: ...


class Queue:
    """Queues as the runtime does: a key's first payload stands."""

    def __init__(self) -> None:
        self.jobs: dict[str, Any] = {}

    def __call__(self, payload: BaseModel, key: str) -> Handle:
        known = key in self.jobs
        if known and self.jobs[key] != payload:
            raise KeyConflict("The key was used with another payload.", job=f"id-{key}")
        self.jobs[key] = payload
        return Handle(id=f"id-{key}", name=triage.name, key=key, created=not known)


def opened(event: dict[str, Any]) -> Triage | None:
    return Triage(issue=event["issue"]["number"]) if event["action"] == "opened" else None


def declared(**options: Any) -> Hook:
    return webhook("/hooks/github", **{"verify": signature.github(SecretRef("HOOK")), "job": triage, "payload": opened} | options)


def sent(event: object = EVENT, delivery: str = "d1", kind: str = "issues") -> tuple[dict[str, str], bytes]:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    code = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={code}", "X-GitHub-Delivery": delivery, "X-GitHub-Event": kind}, body


def ask(hook: Hook, queue: Callable[[BaseModel, str], Handle], *args: Any, **options: Any) -> Reply:
    headers, body = sent(*args, **options)
    return receive(hook, headers, body, NOW, queue)


def test_an_event_is_queued_under_its_own_id() -> None:
    queue = Queue()
    assert ask(declared(), queue) == Reply(202, {"id": "id-d1", "url": "/api/tasks/id-d1"}, "/api/tasks/id-d1")
    assert queue.jobs == {"d1": Triage(issue=7)}


def test_an_event_that_is_sent_again_gets_the_first_handle() -> None:
    queue, hook = Queue(), declared()
    first, again, other = ask(hook, queue), ask(hook, queue), ask(hook, queue, delivery="d2")
    assert first == again != other
    assert list(queue.jobs) == ["d1", "d2"]


def test_the_same_id_with_another_payload_gets_the_first_handle_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    queue, hook = Queue(), declared()
    first = ask(hook, queue)
    with caplog.at_level(logging.WARNING, "guardrails.runtime.webhooks"):
        assert ask(hook, queue, EVENT | {"issue": {"number": 8}}) == first
    assert queue.jobs == {"d1": Triage(issue=7)}
    assert "'d1' came again with another payload; job id-d1" in caplog.text


def test_a_key_of_its_own_takes_the_place_of_the_events_id() -> None:
    queue, hook = Queue(), declared(key=lambda event: f"issue-{event['issue']['number']}")
    assert ask(hook, queue) == ask(hook, queue, delivery="d2")
    assert list(queue.jobs) == ["issue-7"]


@pytest.mark.parametrize("options", [{"event": EVENT | {"action": "closed"}}, {"kind": "issue_comment"}])
def test_an_event_that_is_not_wanted_is_accepted_and_ignored(options: dict[str, Any]) -> None:
    queue = Queue()
    assert ask(declared(kinds=["issues", "ping"]), queue, **options) == Reply(202, {"ignored": True})
    assert queue.jobs == {}


@pytest.mark.parametrize(("over", "status"), [(0, 202), (1, 413)])
def test_a_body_over_the_limit_is_refused_before_its_signature_is_read(over: int, status: int) -> None:
    headers, body = sent()
    reply = receive(declared(body_limit=len(body) - over), headers if not over else {}, body, NOW, Queue())
    assert reply.status == status


def test_a_bad_signature_is_refused_before_the_body_is_read() -> None:
    queue, hook = Queue(), declared()
    headers, body = sent()
    for wrong in (body + b" ", b"not json", b""):
        assert receive(hook, headers, wrong, NOW, queue) == Reply(401, {"error": "The request's signature does not fit its body."})
    assert receive(hook, {}, body, NOW, queue).status == 401
    assert queue.jobs == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b'"x"',
        b"\xff\xfe{}",
        b"payload=%7B%7D",
        b'{"a": NaN}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"a": "\\ud800"}',
        b"{} {}",
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    reply = ask(declared(), Queue(), body)
    assert (reply.status, "application/json" in reply.json["error"]) == (400, True)


@pytest.mark.parametrize("event", [{}, {"action": "opened"}, {"action": "opened", "issue": None}, {"action": "opened", "issue": []}])
def test_an_event_of_another_shape_is_refused_without_its_values(event: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    assert ask(declared(), Queue(), event) == Reply(422, {"error": "The event does not have the shape that is read here."})
    assert "does not have the shape" in caplog.text


def test_a_payload_that_does_not_validate_is_refused_by_its_fields_without_their_values() -> None:
    reply = ask(declared(), Queue(), {"action": "opened", "issue": {"number": "hunter2"}})
    assert reply == Reply(422, {"error": "The event does not fit: issue: int_parsing."})


def test_an_event_without_an_id_is_refused() -> None:
    assert ask(declared(), Queue(), delivery=" ").status == 400


@pytest.mark.parametrize(
    ("error", "status"), [(PayloadRefused("The key is too long."), 422), (DatabaseRefused("postgresql://user:pw@db is away."), 503)]
)
def test_what_the_queue_refuses_is_told_without_the_database(error: Exception, status: int, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: object) -> Handle:
        raise error

    reply = ask(declared(), refuse)
    assert reply.status == status
    assert "pw@db" not in reply.json["error"]
    assert status != 503 or "is away" in caplog.text


def test_a_secret_that_nobody_holds_asks_the_sender_to_come_again(caplog: pytest.LogCaptureFixture) -> None:
    reply = ask(declared(verify=signature.github(SecretRef("NOBODY"))), Queue())
    assert reply.status == 503
    assert "NOBODY" not in reply.json["error"]
    assert "NOBODY" in caplog.text


def test_a_mistake_of_the_application_comes_through() -> None:
    def broken(event: dict[str, Any]) -> Triage:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        ask(declared(payload=broken), Queue())


def test_the_real_queue_keeps_an_events_first_payload(database: str, caplog: pytest.LogCaptureFixture) -> None:
    settings.configure(secrets={"HOOK": SECRET}.get)
    hook = declared()
    first = ask(hook, hook.job.enqueue_with_key)
    assert first.location == f"/api/tasks/{first.json['id']}"
    assert ask(hook, hook.job.enqueue_with_key) == first
    assert ask(hook, hook.job.enqueue_with_key, EVENT | {"issue": {"number": 8}}) == first
    assert first.json["id"] in caplog.text
    assert ask(hook, hook.job.enqueue_with_key, delivery="d2") != first
    assert ask(hook, hook.job.enqueue_with_key, delivery="d" * 600).status == 422


def test_headers_may_come_as_starlette_has_them() -> None:
    headers, body = sent()
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    assert receive(declared(), Headers(raw=raw), body, NOW, Queue()).status == 202
    assert receive(declared(), Headers(raw=[*raw, raw[0]]), body, NOW, Queue()).status == 401


@pytest.mark.parametrize("path", ["", "hooks", "//evil", "/a b", "/a/{id}", "/a?b", "/a#b", "/a%2e", "/a\n", "/a\\b"])
def test_a_path_that_is_no_plain_path_is_refused(path: str) -> None:
    with pytest.raises(DeclarationError, match="path"):
        webhook(path, verify=signature.github(SecretRef("HOOK")), job=triage, payload=opened)


def test_two_webhooks_at_one_path_are_refused_but_a_module_may_be_imported_twice() -> None:
    declared()
    again = declared()
    assert registry.webhooks == {"/hooks/github": again}
    with pytest.raises(DeclarationError, match="Two webhooks are declared at /hooks/github"):
        declared(payload=lambda event: None)


@pytest.mark.parametrize(
    "options",
    [{"body_limit": 0}, {"body_limit": True}, {"kinds": "issues"}, {"verify": signature.hmac(SecretRef("HOOK"), header="X")}],
)
def test_what_could_not_work_is_refused_at_declaration(options: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError, match="/hooks/github"):
        declared(**options)
    assert registry.webhooks == {}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event=anything | st.fixed_dictionaries({"action": anything, "issue": anything}) | st.binary(max_size=30), signed=st.booleans())
def test_whatever_is_sent_gets_an_answer_and_only_a_fitting_event_is_queued(event: object, signed: bool) -> None:
    queue, hook = Queue(), Hook("/h", signature.github(SecretRef("HOOK")), triage, opened, None, None, 10_000)
    headers, body = sent(event)
    reply = receive(hook, headers if signed else headers | {"X-Hub-Signature-256": "sha256=0"}, body, NOW, queue)
    assert reply.status in ({202, 400, 422, 413} if signed else {401, 413})
    assert bool(queue.jobs) == (reply.location is not None)
