"""What the recogniser saw: a model's form matched at a place, before settings and reach are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from guardrails.frameworks.model import EnqueueForm, JobForm, LogForm, Model, ScheduleForm, SpawnForm
from guardrails.names.options import Hit, Made, Options
from guardrails.names.values import Home
from guardrails.outline import Site
from guardrails.place import Place


class JobSeen(msgspec.Struct, frozen=True):
    """A declared job: `home` its function, `owner` its class where it has one, `app` the call that made its application or queue."""

    model: Model
    form: JobForm
    home: Home
    options: Options
    symbol: str
    name: str = ""
    app: Made | None = None
    owner: Home | None = None
    listed_in: Home | None = None  # the settings class that lists it
    at: Place | None = None  # where it is declared, when not at its name


class EnqueueSeen(msgspec.Struct, frozen=True):
    """A hand-over; `job` is the symbol of the job where it was resolved, `target` says it in words."""

    model: Model
    form: EnqueueForm
    made: Made
    site: Site
    options: Options
    target: str
    job: str = ""
    queue: Made | None = None
    loose: bool = False  # told by its method's name alone


class HandlerSeen(msgspec.Struct, frozen=True):
    """A request handler."""

    model: Model
    home: Home
    route: str
    methods: tuple[str, ...]


class SpawnSeen(msgspec.Struct, frozen=True):
    """A spawn; `runs` is what it runs, `origin` the call that built the thread or pool."""

    model: Model
    form: SpawnForm
    made: Made
    site: Site
    runs: Hit | None
    origin: Made | None = None


class LogSeen(msgspec.Struct, frozen=True):
    """A log call."""

    model: Model
    form: LogForm
    made: Made
    site: Site


class ScheduleSeen(msgspec.Struct, frozen=True):
    """A schedule."""

    model: Model
    form: ScheduleForm
    made: Made
    job: str
    when: str


Sighting: TypeAlias = EnqueueSeen | HandlerSeen | SpawnSeen | LogSeen | ScheduleSeen
JobTable: TypeAlias = Mapping[str, JobSeen]
