"""Who may ask: a bearer key for programs, a session for people at the page."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from guardrails.runtime.http import bodies
from guardrails.runtime.http.desk import Desk
from guardrails.runtime.http.problems import Problem
from guardrails.runtime.http.sessions import Session, same

Endpoint = Callable[[Request], Awaitable[Response]]
LARGEST_FORM = 4096  # bytes
COOKIE = "guardrails_session"


def keyed(desk: Desk, endpoint: Endpoint) -> Endpoint:
    """Answer only who brings a key; `request.state.holder` says which. Raises Problem 401."""

    async def ask(request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        holder = desk.serving.holder(given.strip()) if scheme.lower() == "bearer" else None
        if holder is None or len(request.headers.getlist("authorization")) > 1:
            raise Problem(401, "Send a key of this service as `Authorization: Bearer ..`.", {"WWW-Authenticate": "Bearer"})
        request.state.holder = holder
        return await endpoint(request)

    return ask


def seated(desk: Desk, endpoint: Callable[[Request, Session], Awaitable[Response]]) -> Endpoint:
    """Answer only who is signed in; others are sent to the sign-in page. A change needs the session's token and our own Origin.

    The form that was sent is then in `request.state.form`."""

    async def ask(request: Request) -> Response:
        session = desk.sessions.of(request.cookies.get(COOKIE, ""))
        if session is None:
            if request.method == "POST":
                raise Problem(403, "You are not signed in any more: open the page again.")
            return RedirectResponse("/login", 303)
        if request.method == "POST":
            await _same_site(desk, request, session)
        request.state.holder = f"session {session.id}"
        return await endpoint(request, session)

    return ask


async def _same_site(desk: Desk, request: Request, session: Session) -> None:
    origin = request.headers.get("origin", "").partition("://")[2]
    site = request.headers.get("sec-fetch-site", "same-origin")
    if not origin or origin != request.headers.get("host", "") or site != "same-origin":
        raise Problem(403, "This was not sent by a page of this service.")
    body = await bodies.raw(request, LARGEST_FORM, desk.serving.body_seconds)
    request.state.form = dict(parse_qsl(body.decode("utf-8", "replace")))
    if not same(request.state.form.get("csrf", ""), session.csrf):
        raise Problem(403, "The form is out of date: open the page again.")
