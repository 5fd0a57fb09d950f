"""`guardrails jobs-map --format json`. `make generated` publishes `schema()` as guardrails/schemas/jobs-map.schema.json."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from guardrails import inventory as known
from guardrails import jsontext
from guardrails.inventory import Inventory, Link, Source
from guardrails.place import Spot
from guardrails.report.safe import encodable


class At(msgspec.Struct, frozen=True):
    """A place: the path is relative to the root, with `/`; lines and columns count from 1."""

    path: str
    line: int
    column: int


class Setting(msgspec.Struct, frozen=True):
    """What holds, in words and, where it is one, as a `number` (seconds or tries; null: none, or no end).

    `source`: `job` (it stands on the job), `settings` (on its class, application or worker), `framework` (its default), `varies`,
    `unknown` (`why` says what could not be told), `none` (the framework's model does not say).
    """

    words: str
    number: float | None
    source: Source
    at: At | None
    why: str


class Start(msgspec.Struct, frozen=True):
    """Who starts a job: the `id` of a node, where the job is handed over, the functions called on the way there, the queue named there."""

    id: str
    kind: Link
    at: At
    through: tuple[str, ...]
    queue: str


class Job(msgspec.Struct, frozen=True):
    """A unit of background work; `repeats` says why it may run more than once, "" where it does not."""

    id: str
    name: str
    symbol: str
    framework: str
    title: str
    language: str
    at: At
    limit: Setting
    retries: Setting
    queue: Setting
    repeats: str
    started_by: tuple[Start, ...]


class Handler(msgspec.Struct, frozen=True):
    """A request handler that starts work."""

    id: str
    name: str
    framework: str
    at: At
    route: str
    methods: tuple[str, ...]


class Schedule(msgspec.Struct, frozen=True):
    """A clock that starts work."""

    id: str
    name: str
    framework: str
    at: At
    when: str


class Spawn(msgspec.Struct, frozen=True):
    """Work started beside the flow of a program; `kept` says who waits for it, "" for nobody."""

    id: str
    name: str
    framework: str
    at: At
    kind: str
    kept: str
    started_by: tuple[Start, ...]


class Code(msgspec.Struct, frozen=True):
    """A function or module that starts work, and that nobody in the project is known to call."""

    id: str
    name: str
    at: At


class Elsewhere(msgspec.Struct, frozen=True):
    """Work that is started here and declared elsewhere, or that could not be resolved."""

    id: str
    name: str
    framework: str
    at: At
    started_by: tuple[Start, ...]


class Document(msgspec.Struct, frozen=True):
    """The result of `guardrails jobs-map --format json`. New keys may be added under version 1."""

    version: Literal[1]
    jobs: tuple[Job, ...]
    handlers: tuple[Handler, ...]
    schedules: tuple[Schedule, ...]
    spawns: tuple[Spawn, ...]
    code: tuple[Code, ...]
    elsewhere: tuple[Elsewhere, ...]
    all_handlers: int


def render(inventory: Inventory) -> str:
    """The document, indented, ending in a newline."""
    return jsontext.dumps(document(inventory))


def schema() -> dict[str, Any]:
    """The JSON schema of the document."""
    made = msgspec.json.schema(Document)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "guardrails jobs-map --format json", **made}


def document(inventory: Inventory) -> Document:
    """The inventory in the shape that is promised."""
    into = {node: tuple(map(_start, edges)) for node, edges in inventory.by_target().items()}
    return Document(
        version=1,
        jobs=tuple(_job(one, into.get(one.id, ())) for one in inventory.jobs),
        handlers=tuple(map(_handler, inventory.handlers)),
        schedules=tuple(
            Schedule(one.id, encodable(one.name), one.framework, _at(one.at), encodable(one.when)) for one in inventory.schedules
        ),
        spawns=tuple(_spawn(one, into.get(one.id, ())) for one in inventory.spawns),
        code=tuple(Code(one.id, encodable(one.name), _at(one.at)) for one in inventory.code),
        elsewhere=tuple(
            Elsewhere(one.id, encodable(one.name), one.framework, _at(one.at), into.get(one.id, ())) for one in inventory.elsewhere
        ),
        all_handlers=inventory.all_handlers,
    )


def _job(job: known.Job, started_by: tuple[Start, ...]) -> Job:
    return Job(
        id=job.id,
        name=encodable(job.name),
        symbol=encodable(job.symbol),
        framework=job.framework,
        title=encodable(job.title),
        language=job.language,
        at=_at(job.at),
        limit=_setting(job.limit),
        retries=_setting(job.retries),
        queue=_setting(job.queue),
        repeats=encodable(job.again),
        started_by=started_by,
    )


def _handler(one: known.Handler) -> Handler:
    return Handler(one.id, encodable(one.name), one.framework, _at(one.at), encodable(one.route), one.methods)


def _spawn(one: known.Spawn, started_by: tuple[Start, ...]) -> Spawn:
    return Spawn(one.id, encodable(one.name), one.framework, _at(one.at), one.kind, encodable(one.kept), started_by)


def _start(edge: known.Edge) -> Start:
    return Start(edge.source, edge.kind, _at(edge.at), tuple(map(encodable, edge.through)), encodable(edge.queue))


def _setting(value: known.Value) -> Setting:
    at = _at(value.at) if value.at is not None else None
    return Setting(encodable(value.words), value.number, value.source, at, encodable(value.why))


def _at(spot: Spot) -> At:
    return At(encodable(spot.path), spot.line, spot.column)
