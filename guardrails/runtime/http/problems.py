"""What goes wrong, as `application/problem+json` (RFC 9457): a status, a sentence, never a traceback."""

import http
import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from guardrails.runtime.errors import DatabaseRefused, DeclarationError, KeyConflict, PayloadRefused, RuntimeFault, UnknownJob, WrongState

log = logging.getLogger("guardrails.runtime.http")
STATUS = {KeyConflict: 409, WrongState: 409, PayloadRefused: 422, DeclarationError: 422, UnknownJob: 404, DatabaseRefused: 503}


class Problem(Exception):
    """Ends a request with a status and a sentence; `more` are further members of the JSON object."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, dict(headers or {}), more


def response(problem: Problem) -> Response:
    """A problem as its response."""
    told = {"type": "about:blank", "title": http.HTTPStatus(problem.status).phrase, "status": problem.status, "detail": problem.detail}
    return JSONResponse(told | problem.more, problem.status, problem.headers, media_type="application/problem+json")


def of(error: Exception) -> Problem:
    """The problem that an error is to the client; what only concerns the operator is logged."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return Problem(error.status_code, _sentence(error), error.headers)
        case KeyConflict():
            return Problem(409, str(error), {"Location": f"/api/tasks/{error.job}"}, job=error.job)
        case DatabaseRefused() | SQLAlchemyError():
            log.error("The database is not usable: %s", str(error).splitlines()[0])
            return Problem(503, "The database cannot be used at the moment; nothing was changed, ask again.", {"Retry-After": "2"})
        case RuntimeFault() if type(error) in STATUS:
            return Problem(STATUS[type(error)], str(error))
    log.error("A request failed", exc_info=error)
    return Problem(500, "The service failed; its log says why.")


def _sentence(error: HTTPException) -> str:
    told = {404: "There is nothing here.", 405: "This address does not know that method."}
    return told.get(error.status_code) or error.detail


async def handle(request: Request, error: Exception) -> Response:
    """Starlette's handler of errors."""
    return response(of(error))


KINDS = (Problem, HTTPException, RuntimeFault, SQLAlchemyError)
"""The errors that `handle` takes."""
