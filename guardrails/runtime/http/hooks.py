"""The declared webhooks as routes: the signature over the raw body comes before anything else is read."""

import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from guardrails.runtime.declare import registry
from guardrails.runtime.http import bodies
from guardrails.runtime.http.described import Described, answer, problems
from guardrails.runtime.http.desk import Desk
from guardrails.runtime.http.problems import Problem
from guardrails.runtime.webhooks import Hook, Reply, receive


def routes(desk: Desk) -> list[Described]:
    """A route for each webhook that is declared by now; none needs a key."""
    return [_route(desk, hook) for hook in registry.webhooks.values()]


def _route(desk: Desk, hook: Hook) -> Described:
    async def take(request: Request) -> Response:
        body = await bodies.raw(request, hook.body_limit, desk.serving.body_seconds)
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
        return _response(await desk.take(_received, hook, headers, body))

    return Described("POST", hook.path, take, _operation(hook), open=True)


def _received(hook: Hook, headers: list[tuple[str, str]], body: bytes) -> Reply:
    return receive(hook, headers, body, time.time(), hook.job.enqueue_with_key)


def _response(reply: Reply) -> Response:
    if reply.status >= 400:
        raise Problem(reply.status, str(reply.json.get("error", "The event was not taken.")))
    return JSONResponse(reply.json, reply.status, {"Location": reply.location} if reply.location else None)


def _operation(hook: Hook) -> dict[str, object]:
    event = {"type": "object", "properties": {"id": {"type": "string"}, "url": {"type": "string"}, "ignored": {"type": "boolean"}}}
    return {
        "summary": f"Webhook for {hook.job.name}",
        "description": "The sender's signature over the raw body is verified first.",
        "responses": {"202": answer("Taken, known, or ignored.", event), **problems(400, 401, 408, 413, 422, 503)},
    }
