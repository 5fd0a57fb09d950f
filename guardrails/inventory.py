"""What was recognised in a project, for people: jobs with their settings, and who hands work to them.

Everything is in a stable order. An `id` names a node within one inventory; edges go from who starts work to the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeAlias, TypeVar

import msgspec

from guardrails.place import Spot

Source = Literal["job", "settings", "framework", "unknown", "varies", "none"]
Link = Literal["enqueues", "schedules", "spawns"]


class Value(msgspec.Struct, frozen=True):
    """A setting: `words` say what holds, `source` who says so.

    `job`: it stands on the job; `settings`: on its class, its application or its worker's command line; `framework`: nobody set it, so the
    framework's default holds; `varies`: deployments or enqueues differ; `unknown`: `why` says what could not be told; `none`: the
    framework has no such thing, or its model does not say. `number` is in seconds or tries, None where there is none or no end.
    """

    words: str
    source: Source
    at: Spot | None = None
    why: str = ""
    number: float | None = None


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """What all nodes share; `title` is the framework's name in words."""

    id: str
    name: str
    at: Spot
    framework: str = ""
    title: str = ""

    @property
    def framework_name(self) -> str:
        """The framework's name in words where its model has one."""
        return self.title or self.framework

    @property
    def role(self) -> str:
        """`job`, `handler`, `schedule`, `spawn`, `code` or `elsewhere`."""
        return type(self).__name__.lower()


class Job(Node, frozen=True, kw_only=True):
    """A unit of background work. `again` says in words why it may run more than once, "" where it does not."""

    symbol: str
    language: str
    limit: Value
    retries: Value
    queue: Value
    again: str = ""


class Handler(Node, frozen=True, kw_only=True):
    """A function that answers requests and hands work over or spawns some."""

    route: str = ""
    methods: tuple[str, ...] = ()


class Schedule(Node, frozen=True, kw_only=True):
    """A clock that starts a job."""

    when: str = ""


class Spawn(Node, frozen=True, kw_only=True):
    """Work started beside the flow of a program. `kept` says who waits for it, "" for nobody."""

    kind: str
    kept: str = ""


class Code(Node, frozen=True, kw_only=True):
    """A function or module that hands work over and that nothing else in the project is known to call."""


class Elsewhere(Node, frozen=True, kw_only=True):
    """A job that is named and not declared in the project, or that could not be resolved; `at` is the first place that names it."""


Starter: TypeAlias = Job | Handler | Schedule | Spawn | Code
Work: TypeAlias = Job | Spawn | Elsewhere


class Edge(msgspec.Struct, frozen=True):
    """Who starts what: `at` is the hand-over, `through` the functions called on the way to it, `queue` what the hand-over says."""

    source: str
    target: str
    kind: Link
    at: Spot
    through: tuple[str, ...] = ()
    queue: str = ""


class Inventory(msgspec.Struct, frozen=True):
    """One project. `all_handlers` counts the handlers that hand nothing over, too."""

    jobs: tuple[Job, ...] = ()
    handlers: tuple[Handler, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    spawns: tuple[Spawn, ...] = ()
    code: tuple[Code, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    edges: tuple[Edge, ...] = ()
    all_handlers: int = 0

    def nodes(self) -> Iterator[Starter | Work]:
        """Every node once."""
        for group in (self.handlers, self.schedules, self.code, self.jobs, self.spawns, self.elsewhere):
            yield from group

    def by_target(self) -> dict[str, list[Edge]]:
        """The edges that lead to a node, by its id."""
        return _grouped(self.edges, lambda edge: edge.target)

    def by_source(self) -> dict[str, list[Edge]]:
        """The edges that start at a node, by its id."""
        return _grouped(self.edges, lambda edge: edge.source)

    def by_framework(self) -> list[tuple[str, list[Job]]]:
        """The jobs of each framework, by its name in words."""
        return sorted(_grouped(self.jobs, lambda job: job.framework_name).items())


Item = TypeVar("Item")


def _grouped(items: Iterable[Item], key: Callable[[Item], str]) -> dict[str, list[Item]]:
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
