"""`GET /api/tasks/{id}/events`: a job's life as server-sent events, from the event that the client saw last."""

from collections.abc import AsyncIterator

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from guardrails.runtime import shown
from guardrails.runtime.errors import RuntimeFault, UnknownJob
from guardrails.runtime.http import book, follow
from guardrails.runtime.http.bodies import header
from guardrails.runtime.http.described import FRAME, Described, answer, parameter, problems
from guardrails.runtime.http.desk import Desk, Seat
from guardrails.runtime.http.pulse import Watch
from guardrails.runtime.store.tables import ENDED

PAGE = 200
LAST = ("Done", "DeadLettered", "Cancelled")


class Place:
    """Where a follower stands: the number of the last event it has."""

    def __init__(self, after: int) -> None:
        self.after = after


def route(desk: Desk) -> Described:
    """The route."""

    async def events(request: Request) -> Response:
        job, last = request.path_params["id"], header(request.headers, "last-event-id")
        seat = desk.follow(request.state.holder)
        try:
            return await _answer(desk, request, job, last, seat)
        except BaseException:
            seat.leave()
            raise

    return Described("GET", "/api/tasks/{id}/events", events, OPERATION)


async def _answer(desk: Desk, request: Request, job: str, last: str, seat: Seat) -> Response:
    try:
        seen, latest = await desk.work(book.task, job), await desk.work(book.last_seq, job)
    except UnknownJob:
        if not last:
            raise
        return follow.Following(_gone(), seat)
    known = last.isdecimal() and last.isascii() and len(last) < 10 and int(last) <= latest
    after = int(last) if known else 0
    if request.method == "HEAD" or (after == latest and seen.status in ENDED):
        seat.leave()
        return Response(status_code=200 if request.method == "HEAD" else 204, media_type=follow.EVENTS)
    return follow.Following(_events(desk, job, after, reset=bool(last) and not known), seat)


async def _gone() -> AsyncIterator[bytes]:
    """For a client whose job was pruned meanwhile; it forgets its place, so when it comes back it is told 404, and stays away."""
    yield follow.opening()
    yield follow.frame("reset", {"why": "this job is not kept any more"}, "")


async def _events(desk: Desk, job: str, after: int, reset: bool) -> AsyncIterator[bytes]:
    yield follow.opening()
    if reset:
        yield follow.frame("reset", {"why": "the last event you name is none of this job's; all of them follow"}, "")
    place = Place(after)
    with desk.pulse.watch(job) as watch:
        while not desk.pulse.closing.is_set():
            try:
                async for made in _new(desk, job, place):
                    yield made
            except UnknownJob:
                yield follow.frame("reset", {"why": "this job is not kept any more"}, "")
                return
            except (RuntimeFault, SQLAlchemyError):
                yield follow.HEARTBEAT  # the database is gone for a while
                await desk.pulse.turn(desk.serving.heartbeat)
                continue
            if place.after < 0:
                return
            async for beat in _quiet(desk, watch):
                yield beat


async def _new(desk: Desk, job: str, place: Place) -> AsyncIterator[bytes]:
    """What happened since; the place becomes -1 where nothing more can come."""
    while True:
        seen, told = await desk.look(book.told, job, place.after, PAGE)
        glass = shown.Glass(seen)
        for event in told:
            yield follow.frame(event.type, {"job": job, **shown.event(glass, event)}, str(event.seq))
            place.after = event.seq
        if len(told) < PAGE:
            break
    if seen.status in ENDED and (not told or told[-1].type in LAST):
        place.after = -1


async def _quiet(desk: Desk, watch: Watch) -> AsyncIterator[bytes]:
    """Heartbeats until the job has moved, or the service closes."""
    while not await watch.moved(desk.serving.heartbeat) and not desk.pulse.closing.is_set():
        yield follow.HEARTBEAT


OPERATION = {
    "summary": "Follow a job",
    "description": "Server-sent events: each event's id is its number, its name the event's type, its data an Event. A comment comes "
    "each 15 seconds. The answer ends once the job is over; `reset` tells that the place in Last-Event-ID is not known, or that the job "
    "was removed. 204: the job is over and its last event is the one that you have.",
    "operationId": "followTask",
    "parameters": [parameter("Last-Event-ID", {"type": "string"}, "The number of the last event that you have.", "header")],
    "responses": {
        "200": answer("Events.", FRAME, kind=follow.EVENTS),
        "204": answer("Nothing more will come."),
        **problems(401, 404, 429, 503),
    },
}
