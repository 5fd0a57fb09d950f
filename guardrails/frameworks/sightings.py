"""What the recogniser saw: a model's form matched at a place, before settings and reach are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from guardrails.frameworks.forms.data import LogForm
from guardrails.frameworks.forms.work import EnqueueForm, JobForm, ScheduleForm, SpawnForm
from guardrails.frameworks.model import Model
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
    unless: frozenset[str] = frozenset()  # arguments of a wrapper under which it runs the job at once, and hands nothing over


class HandlerSeen(msgspec.Struct, frozen=True):
    """A request handler."""

    model: Model
    home: Home
    route: str
    methods: tuple[str, ...]
    made: Made | None = None  # the call that registers it, or its decorator's


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


class CallSeen(msgspec.Struct, frozen=True):
    """A call that a model names in a role (`waits`, `transactions` ..): `form` is the role's form, `path` the symbol that was met.

    `origin` is the call that made the receiver, where it was seen: `Session()` of `session.get(..)`.
    """

    role: str
    model: Model
    form: Any
    path: str
    made: Made
    site: Site
    origin: Made | None = None


class MarkSeen(msgspec.Struct, frozen=True):
    """A decorator that a model names in a role; `home` is the function or class below it, `made` the decorator's call, if it is one."""

    role: str
    model: Model
    form: Any
    path: str
    home: Home
    at: Place
    made: Made | None = None


Sighting: TypeAlias = EnqueueSeen | HandlerSeen | SpawnSeen | LogSeen | ScheduleSeen | CallSeen | MarkSeen
JobTable: TypeAlias = Mapping[str, JobSeen]
