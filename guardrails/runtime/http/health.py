"""`/health` and `/metrics`: whether the process lives, whether it can work, and its figures."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from guardrails.runtime.http import book
from guardrails.runtime.http.described import Described, answer, described, problems
from guardrails.runtime.http.desk import Desk
from guardrails.runtime.http.problems import Problem

KIND = "text/plain; version=0.0.4; charset=utf-8"


def routes(desk: Desk) -> list[Described]:
    """The routes."""

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> Response:
        if desk.pulse.closing.is_set():
            raise Problem(503, "The service is closing.", {"Retry-After": "2"})
        workers = await desk.work(_workers)
        return JSONResponse({"status": "ready", "workers": workers})

    async def metrics(_request: Request) -> Response:
        return Response(await desk.work(desk.figures.text), headers={"Content-Type": KIND})

    return [
        Described("GET", "/health/live", live, LIVE, open=True),
        Described("GET", "/health/ready", ready, READY),
        Described("GET", "/metrics", metrics, METRICS),
    ]


def _workers() -> int:
    return len(book.reading().workers())


LIVE = {
    "summary": "Whether the process lives",
    "operationId": "live",
    "responses": {"200": answer("It does.", described({"status": {"const": "live"}}))},
}
READY = {
    "summary": "Whether it can take jobs",
    "operationId": "ready",
    "responses": {
        "200": answer(
            "It can; how many workers are there to run them.", described({"status": {"const": "ready"}, "workers": {"type": "integer"}})
        ),
        **problems(401, 503),
    },
}
METRICS = {
    "summary": "Figures for Prometheus",
    "operationId": "metrics",
    "responses": {"200": answer("Figures.", {"type": "string"}, kind="text/plain"), **problems(401, 503)},
}
