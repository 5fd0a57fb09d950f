"""The service as a Starlette application: its routes, its errors, its beginning and its end."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from guardrails.runtime import home
from guardrails.runtime.declare import registry
from guardrails.runtime.http import events, health, hooks, openapi, pages, problems, serving, streams, tasks, work
from guardrails.runtime.http.auth import keyed
from guardrails.runtime.http.described import Described
from guardrails.runtime.http.desk import Desk
from guardrails.runtime.http.guard import Guard
from guardrails.runtime.http.serving import Serving

VERSION = "1"  # of the routes, not of the release


def service(settings: Serving) -> Starlette:
    """The application; its lifespan opens the database once, and closes it. `app.state.desk` holds what the handlers share.

    The jobs and webhooks are those that are declared by now. Raises DeclarationError for a webhook whose secret nobody holds.
    """
    serving.check(registry)
    desk = Desk(settings)
    found = described(desk)
    routes = [Route(one.path, one.endpoint if one.open else keyed(desk, one.endpoint), methods=[one.method]) for one in found]
    app = Starlette(
        routes=[*routes, *pages.routes(desk)],
        middleware=[Middleware(Guard, figures=desk.figures)],
        exception_handlers=dict.fromkeys(problems.KINDS, problems.handle),
        lifespan=_lifespan(desk),
    )
    app.state.desk = desk
    return app


def described(desk: Desk) -> list[Described]:
    """The routes that the OpenAPI document tells of."""
    jobs = [*tasks.routes(desk), events.route(desk), streams.route(desk)]
    found = [*jobs, *work.routes(desk), pages.link(desk), *hooks.routes(desk), *health.routes(desk)]
    return [*found, openapi.route(found, VERSION)]


def _lifespan(desk: Desk) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def opened(_app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        await desk.work(home.home)
        try:
            yield {}
        finally:
            desk.pulse.close()
            await desk.work(home.close)

    return opened
