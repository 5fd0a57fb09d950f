"""Request bodies and parameters, read within limits: while they come, not by what they say of themselves."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import anyio
import msgspec
from starlette.requests import ClientDisconnect, Request

from guardrails.runtime.http.problems import Problem

T = TypeVar("T")


async def raw(request: Request, limit: int, seconds: float) -> bytes:
    """The body; raises Problem 413 as soon as it is over the limit, 408 where it does not come in time."""
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        with anyio.fail_after(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise _too_large(limit)
    except TimeoutError:
        raise Problem(408, f"The body did not come within {seconds:g} seconds.", {"Connection": "close"}) from None
    except ClientDisconnect:
        raise Problem(400, "The body ended before it was complete.") from None
    return bytes(body)


def _too_large(limit: int) -> Problem:
    return Problem(
        413, f"The body has more than {limit:,} bytes: keep large values in runtime.blobs and send their ids.", {"Connection": "close"}
    )


async def read(request: Request, kind: type[T], limit: int, seconds: float, default: T | None = None) -> T:
    """The JSON body as a Struct; `default` for an empty one. Raises Problem 415, 413, 400 or 422."""
    content = request.headers.get("content-type", "").split(";")[0].strip().lower()
    body = await raw(request, limit, seconds)
    if not body and default is not None:
        return default
    if content != "application/json":
        raise Problem(415, f"The body must be application/json, not {content or 'without a content type'}.")
    try:
        return checked(msgspec.json.decode(body, type=kind))
    except msgspec.ValidationError as error:
        raise Problem(422, f"{str(error).rstrip('.')}.") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise Problem(400, f"The body is not JSON: {str(error).rstrip('.')}.") from None


def checked(value: T) -> T:
    """The value itself; raises Problem 422 where a text of it cannot be kept: no database takes NUL, nor half a character."""
    if any("\0" in text or (not text.isascii() and _broken(text)) for text in _texts(value)):
        raise Problem(422, "A text holds NUL or half a character, which no database keeps.")
    return value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case msgspec.Struct():
            yield from _texts(msgspec.structs.asdict(value))
        case str():
            yield value
        case dict():
            for name, item in value.items():
                yield from (*_texts(name), *_texts(item))
        case list() | tuple():
            for item in value:
                yield from _texts(item)


def _broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def query(request: Request, kind: type[T], many: frozenset[str] = frozenset()) -> T:
    """The query's parameters as a Struct; those of `many` may stand several times. Raises Problem 422."""
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in many:
            given.setdefault(name, []).append(value)
        elif name in given:
            raise Problem(422, f"The parameter {name} stands twice.")
        else:
            given[name] = value
    try:
        return checked(msgspec.convert(given, kind, strict=False))
    except msgspec.ValidationError as error:
        raise Problem(422, f"{str(error).rstrip('.')}.") from None


def header(headers: Mapping[str, str], name: str) -> str:
    """A header that may be missing."""
    return headers.get(name, "").strip()
