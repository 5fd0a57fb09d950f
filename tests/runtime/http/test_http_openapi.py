"""The description and the answers agree: schemathesis asks the service whatever the description allows, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from guardrails.runtime import signature
from guardrails.runtime.secret import SecretRef
from guardrails.runtime.webhooks import webhook
from tests.runtime.http import shop
from tests.runtime.http.served import KEY, Served

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: answers are not held against the description")

EXAMPLES = 12  # for each operation


def ended(name: str, well: bool) -> str:
    """A job that is over and has left all that a job can leave: whoever follows it comes to an end."""
    job = shop.order(name)
    run = shop.started(job)
    shop.logged(run, "a line")
    shop.progress(run, 1, 2)
    shop.wrote(run, b"text", last=True)
    shop.finished(run) if well else shop.failed(run)
    return job


@pytest.mark.slow
def test_every_answer_is_as_described(serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", "a secret of some length")
    webhook("/hooks/any", verify=signature.github(SecretRef("HOOK_SECRET")), job=shop.charge, payload=lambda event: None)
    done, dead, served = ended("done", well=True), ended("dead", well=False), serve()
    work = served.client().post("/api/work", json={"title": "seeded"}).json()["id"]
    document: dict[str, Any] = served.client(None).get("/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = served.url
    schema.config.checks.positive_data_acceptance.expected_statuses += ["406", "416"]  # an offset may be beyond what is there
    there = [done, work, "none"]  # none of them can be followed for ever
    asked: set[str] = set()
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @schemathesis_given(operation, st.sampled_from([dead, *there] if operation.method == "post" else there))
        def ask(case: Any) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {KEY}"}, timeout=60)

        ask()
        asked.add(f"{operation.method.upper()} {operation.path}")
    assert len(asked) == sum(len(operations) for operations in document["paths"].values())


def schemathesis_given(operation: Any, ids: st.SearchStrategy[str]) -> Callable[[Callable[[Any], None]], Callable[[], None]]:
    """Cases of an operation, those with an id often about something that is there."""
    from hypothesis import given

    def chosen(case: Any, one: str) -> Any:
        if case.path_parameters and "id" in case.path_parameters:
            case.path_parameters["id"] = one
        return case

    return given(case=st.builds(chosen, operation.as_strategy(), ids))


def test_every_route_of_the_api_is_described_and_every_description_served(served: Served) -> None:
    from starlette.routing import Route

    document = served.client(None).get("/openapi.json").json()
    told = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    routes = {
        (method, route.path.replace(":path}", "}"))
        for route in served.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD" and route.path.startswith(("/api", "/health", "/metrics", "/hooks"))
    }
    assert told == routes
