"""`GET /api/tasks/{id}/stream`: a durable stream from any offset, as its bytes or, framed, as server-sent events; also while it grows."""

import base64
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from guardrails.runtime.errors import RuntimeFault, UnknownJob
from guardrails.runtime.http import bodies, book, follow
from guardrails.runtime.http.bodies import header
from guardrails.runtime.http.described import FRAME, INPUT, Described, answer, content, parameter, problems
from guardrails.runtime.http.desk import Desk, Seat
from guardrails.runtime.http.problems import Problem
from guardrails.runtime.store.reading import Seen
from guardrails.runtime.store.streams import About, Piece
from guardrails.runtime.store.tables import ENDED

_KIND = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}(; ?[\w-]{1,20}=[\w.+-]{1,60}){0,3}", re.ASCII)
_PLACE = re.compile(r"([0-9]{1,9}):([0-9]{1,15})", re.ASCII)
UNKNOWN = "application/octet-stream"


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    """Which part of which stream; `offset` counts bytes within the run."""

    name: Annotated[str, msgspec.Meta(max_length=512)] = "output"
    offset: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    run: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | None = None
    follow: bool = False
    all_attempts: bool = False


@dataclass
class Reader:
    """Where a reader stands; `run` None is at the beginning of whichever run is there."""

    job: str
    name: str
    run: int | None
    offset: int

    def take(self, piece: Piece) -> None:
        """Move on."""
        self.run, self.offset = piece.run, piece.at + len(piece.data)


def route(desk: Desk) -> Described:
    """The route."""

    async def stream(request: Request) -> Response:
        return await read(desk, request)

    return Described("GET", "/api/tasks/{id}/stream", stream, OPERATION)


async def read(desk: Desk, request: Request) -> Response:
    """A stream in the form that the request accepts."""
    wanted, job = bodies.query(request, Wanted), request.path_params["id"]
    seat = desk.follow(request.state.holder)
    try:
        framed = follow.EVENTS in request.headers.get("accept", "")
        return await (_framed if framed else _raw)(desk, request, job, wanted, seat)
    except BaseException:
        seat.leave()
        raise


def kind(about: About) -> str:
    """A stream's content type, if it is one: it becomes a header."""
    return about.content_type if _KIND.fullmatch(about.content_type) else UNKNOWN


async def _raw(desk: Desk, request: Request, job: str, wanted: Wanted, seat: Seat) -> Response:
    if wanted.all_attempts:
        raise Problem(406, f"all_attempts needs frames that tell the attempts apart: send Accept: {follow.EVENTS}.")
    seen, about = await desk.work(_known, job, wanted.name)
    reset = wanted.run is not None and wanted.run != about.run
    offset = 0 if reset else wanted.offset
    if offset > about.length:
        raise Problem(416, f"The stream has {about.length} bytes.", {"Content-Range": f"bytes */{about.length}"})
    headers = _headers(about, offset, reset, complete=about.closed or seen.status in ENDED)
    if request.method == "HEAD":
        seat.leave()
        return Response(headers=headers, media_type=kind(about))
    reader = Reader(job, wanted.name, about.run, offset)
    return follow.Following(_bytes(desk, reader, wanted.follow), seat, headers, kind(about))


def _known(job: str, name: str) -> tuple[Seen, About]:
    return book.task(job), book.about(job, name)


def _headers(about: About, offset: int, reset: bool, complete: bool) -> dict[str, str]:
    told = {
        "Guardrails-Run": str(about.run),
        "Guardrails-Offset": str(offset),
        "Guardrails-Length": str(about.length),
        "Guardrails-Complete": str(complete).lower(),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(about.name, safe='', errors='replace')}",
    }
    return told | ({"Guardrails-Reset": "true"} if reset else {})


async def _bytes(desk: Desk, reader: Reader, on: bool) -> AsyncIterator[bytes]:
    """The bytes of one run: where another replaces it, the answer ends, and the next question is told of the reset."""
    run = reader.run
    async for part in _parts(desk, reader, on):
        for piece in part.pieces if part else ():
            if piece.reset or piece.run != run:
                return
            reader.take(piece)
            yield piece.data


async def _parts(desk: Desk, reader: Reader, on: bool) -> AsyncIterator[book.Part | None]:
    """Parts as they come, None as a heartbeat; ends where nothing more is written, or is asked for."""
    with desk.pulse.watch(reader.job) as watch:
        while not desk.pulse.closing.is_set():
            try:
                part = await desk.look(book.part, reader.job, reader.name, reader.run, reader.offset)
            except UnknownJob:
                if not await _awaited(desk, reader, on):
                    return
            except (RuntimeFault, SQLAlchemyError):
                yield None
                await desk.pulse.turn(desk.serving.heartbeat)
                continue
            else:
                yield part
                if part.more:
                    continue
                if part.over or not on:
                    return
            while not await watch.moved(desk.serving.heartbeat) and not desk.pulse.closing.is_set():
                yield None


async def _awaited(desk: Desk, reader: Reader, on: bool) -> bool:
    """Whether the stream, which is not there, may still come."""
    try:
        seen = await desk.look(book.task, reader.job)
    except UnknownJob:
        return False
    return on and seen.status not in ENDED


async def _framed(desk: Desk, request: Request, job: str, wanted: Wanted, seat: Seat) -> Response:
    last = header(request.headers, "last-event-id")
    place = _PLACE.fullmatch(last)
    reader = (
        Reader(job, wanted.name, wanted.run, wanted.offset) if place is None else Reader(job, wanted.name, int(place[1]), int(place[2]))
    )
    lost: bool = bool(last) and place is None
    try:
        seen, about = await desk.work(_known, job, wanted.name)
    except UnknownJob:
        waiting = await desk.work(book.maybe, job)
        if waiting is None and last:
            return follow.Following(_removed(), seat)
        if waiting is None or not wanted.follow or waiting.status in ENDED:
            raise
    else:
        lost = lost or (reader.run in (None, about.run) and reader.offset > about.length)
        if last and (reader.run, reader.offset) == (about.run, about.length) and (about.closed or seen.status in ENDED):
            seat.leave()
            return Response(status_code=204)
    if request.method == "HEAD":
        seat.leave()
        return Response(media_type=follow.EVENTS)
    if wanted.all_attempts:
        return follow.Following(_everything(desk, reader), seat)
    return follow.Following(_frames(desk, reader, wanted.follow, lost), seat)


async def _removed() -> AsyncIterator[bytes]:
    yield follow.opening()
    yield follow.frame("reset", {"why": "this stream is not kept any more"}, "")


async def _frames(desk: Desk, reader: Reader, on: bool, lost: bool) -> AsyncIterator[bytes]:
    yield follow.opening()
    about: About | None = None
    over = False
    if lost:
        reader.run, reader.offset = None, 0
        yield follow.frame("reset", {"why": "the place that you name is none of this stream's; it begins anew"}, "")
    async for part in _parts(desk, reader, on):
        if part is None:
            yield follow.HEARTBEAT
            continue
        if about is None:
            yield follow.frame("stream", _described(part.about))
        about, over = part.about, part.over and not part.more
        for piece in part.pieces:
            reader.take(piece)
            yield _framed_piece(piece)
    if about is not None and not desk.pulse.closing.is_set():
        yield follow.frame("end", {"run": reader.run or about.run, "offset": reader.offset, "complete": over})


async def _everything(desk: Desk, reader: Reader) -> AsyncIterator[bytes]:
    yield follow.opening()
    about, pieces = await desk.look(book.all_runs, reader.job, reader.name)
    yield follow.frame("stream", _described(about))
    more = True
    while more:
        taken, more = await desk.look(book.take, pieces)
        for piece in taken:
            yield _framed_piece(piece)
    yield follow.frame("end", {"run": about.run, "offset": about.length, "complete": about.closed})


def _described(about: About) -> dict[str, Any]:
    return {"name": about.name, "content_type": about.content_type, "metadata": about.metadata, "run": about.run, "length": about.length}


def _framed_piece(piece: Piece) -> bytes:
    if piece.reset:
        return follow.frame("reset", {"run": piece.run, "why": "a later run has replaced the one that you read"}, f"{piece.run}:0")
    told = {"run": piece.run, "offset": piece.at, "data": base64.b64encode(piece.data).decode()}
    return follow.frame("chunk", told, f"{piece.run}:{piece.at + len(piece.data)}")


WHOLE = {"type": "string", "pattern": "^[0-9]+$"}
HEADERS = {
    "Guardrails-Run": WHOLE,
    "Guardrails-Offset": WHOLE,
    "Guardrails-Length": WHOLE,
    "Guardrails-Complete": {"type": "string", "enum": ["true", "false"]},
}
OPERATION = {
    "summary": "Read a stream",
    "description": "The bytes of the last run from `offset` on, in the stream's own content type; headers tell run, offset, length so far "
    "and whether it is complete. With `follow` the answer goes on while the run writes, and ends where a later run replaces it: ask again "
    "with `run` and `offset`, and `Guardrails-Reset: true` tells that the offset was of a run that is gone, and reading begins at 0. "
    "With `Accept: text/event-stream` it comes in frames: `stream`, `chunk` (base64; its id is run:offset, to send as Last-Event-ID), "
    "`reset`, `end`.",
    "operationId": "readStream",
    "parameters": [
        parameter("name", INPUT | {"maxLength": 512, "default": "output"}),
        parameter("offset", {"type": "integer", "minimum": 0, "maximum": 2**53, "default": 0}),
        parameter("run", {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}, "The run that `offset` is of."),
        parameter("follow", {"type": "boolean", "default": False}, "Go on while it grows."),
        parameter("all_attempts", {"type": "boolean", "default": False}, "What all runs wrote; only in frames."),
        parameter("Last-Event-ID", {"type": "string"}, "The id of the last frame that you have; only in frames.", "header"),
    ],
    "responses": {
        "200": {
            **answer("The stream.", headers=HEADERS),
            "content": {**content(FRAME, follow.EVENTS), "*/*": {"schema": {"type": "string"}}},
        },
        "204": answer("In frames: you have all of it."),
        **problems(401, 404, 406, 416, 422, 429, 503),
    },
}
