"""The page for people: queues, running, scheduled and dead jobs, a job's life, and the buttons. It works without its script."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from guardrails.runtime.http import book, page, problems, streams, views
from guardrails.runtime.http.auth import COOKIE, Endpoint, seated
from guardrails.runtime.http.described import Described, answer, described
from guardrails.runtime.http.described import problems as refused
from guardrails.runtime.http.desk import Desk
from guardrails.runtime.http.sessions import Session
from guardrails.runtime.store.tables import STATUSES


def routes(desk: Desk) -> list[Route]:
    """The routes of the page."""

    async def overview(_request: Request, session: Session) -> Response:
        return _page("overview.html", session, await desk.work(views.overview), every=2)

    async def listing(request: Request, session: Session) -> Response:
        asked = request.query_params
        statuses = [status for status in asked.getlist("status") if status in STATUSES]
        queue, name, before = (_clean(asked.get(field)) for field in ("queue", "name", "before"))
        found = await desk.work(views.listing, statuses, queue, name, before)
        return _page("jobs.html", session, {**found, "status": statuses, "queue": queue, "name": name, "statuses": STATUSES}, every=3)

    async def one(request: Request, session: Session) -> Response:
        told = await desk.work(views.one, request.path_params["id"])
        return _page("job.html", session, told, every=1 if told["job"]["finished"] is None else 5)

    async def cancel(request: Request, _session: Session) -> Response:
        seen = await desk.work(book.cancel, request.path_params["id"])
        return RedirectResponse(f"/jobs/{seen.id}", 303)

    async def requeue(request: Request, _session: Session) -> Response:
        from_start = request.state.form.get("from_start") == "1"
        seen = await desk.work(book.requeue, request.path_params["id"], from_start)
        return RedirectResponse(f"/jobs/{seen.id}", 303)

    async def stream(request: Request, _session: Session) -> Response:
        return await streams.read(desk, request)

    async def leave(_request: Request, session: Session) -> Response:
        desk.sessions.leave(session)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    def people(path: str, endpoint: Callable[[Request, Session], Awaitable[Response]], method: str = "GET") -> Route:
        return Route(path, _told(seated(desk, endpoint)), methods=[method])

    return [
        people("/", overview),
        people("/jobs", listing),
        people("/jobs/{id}", one),
        people("/jobs/{id}/stream", stream),
        people("/jobs/{id}/cancel", cancel, "POST"),
        people("/jobs/{id}/requeue", requeue, "POST"),
        people("/logout", leave, "POST"),
        Route("/login", _told(_login(desk)), methods=["GET"]),
    ]


def _login(desk: Desk) -> Endpoint:
    async def login(request: Request) -> Response:
        token = request.query_params.get("token", "")
        if request.method == "HEAD":
            return HTMLResponse()
        secret = desk.sessions.enter(token) if token else None
        if secret is None and desk.sessions.of(request.cookies.get(COOKIE, "")):
            return RedirectResponse("/", 303)
        response = _html("login.html", 200 if secret or not token else 403, entered=bool(secret), used=bool(token))
        if secret is not None:
            age = int(desk.serving.session_seconds)
            response.set_cookie(COOKIE, secret, age, httponly=True, samesite="strict", secure=request.url.scheme == "https")
        return response

    return login


def link(desk: Desk) -> Described:
    """`POST /api/login-links`: a new link for whoever holds a key."""

    async def make(_request: Request) -> Response:
        url = f"/login?token={desk.sessions.link()}"
        return JSONResponse({"url": url, "expires_in": desk.serving.login_seconds}, 201, {"Location": url})

    return Described("POST", "/api/login-links", make, LINK)


def _page(name: str, session: Session, told: dict[str, Any], every: int) -> Response:
    return _html(name, 200, csrf=session.csrf, every=every, **told)


def _html(template: str, code: int, /, **values: Any) -> Response:
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(page.render(template, nonce=nonce, **values), code, {"Content-Security-Policy": policy})


def _told(endpoint: Endpoint) -> Endpoint:
    """Say what goes wrong as a page."""

    async def ask(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as error:
            problem = problems.of(error)
            return _html("error.html", problem.status, problem=problem)

    return ask


def _clean(text: str | None) -> str | None:
    return text.replace("\0", "") or None if text else None


LINK = {
    "summary": "A link that signs a person in at the page",
    "description": "It works once, and for a few minutes.",
    "operationId": "createLoginLink",
    "responses": {
        "201": answer(
            "The link.", described({"url": {"type": "string"}, "expires_in": {"type": "number"}}), {"Location": {"type": "string"}}
        ),
        **refused(401),
    },
}
