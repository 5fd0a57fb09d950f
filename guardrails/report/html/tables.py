"""The inventory as tables: jobs, queues, schedules and handlers, and what each of them starts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from guardrails.inventory import Edge, Inventory, Job, Node, Value
from guardrails.report.safe import visible
from guardrails.report.snippet import where

SAYS = {
    "job": "on the job", "settings": "from its settings", "framework": "by default", "unknown": "cannot be told", "varies": "differs",
    "none": "not known",
}  # fmt: skip


class Cell(msgspec.Struct, frozen=True):
    """A setting: what holds, who says so, and where or why."""

    words: str
    says: str
    more: str
    open: bool


class End(msgspec.Struct, frozen=True):
    """The other end of an edge: `id` is its row's."""

    id: str
    name: str
    kind: str
    more: str


class JobRow(msgspec.Struct, frozen=True):
    """A job."""

    id: str
    name: str
    where: str
    framework: str
    settings: Sequence[Cell]
    again: str
    started: Sequence[End]


class NodeRow(msgspec.Struct, frozen=True):
    """Whatever starts work; of a job elsewhere `starts` holds what starts it."""

    id: str
    name: str
    what: str
    where: str
    framework: str
    starts: Sequence[End]


class Queue(msgspec.Struct, frozen=True):
    """A queue with the jobs in it."""

    name: str
    jobs: Sequence[End]


class Tables(msgspec.Struct, frozen=True):
    """All of them; `idle` is the number of handlers that start nothing."""

    jobs: Sequence[JobRow]
    queues: Sequence[Queue]
    schedules: Sequence[NodeRow]
    handlers: Sequence[NodeRow]
    code: Sequence[NodeRow]
    elsewhere: Sequence[NodeRow]
    spawns: Sequence[NodeRow]
    idle: int


def tables(inventory: Inventory) -> Tables:
    """The tables of an inventory, in its order."""
    return _Tables(inventory).all()


class _Tables:
    """Looks nodes up by id, and edges by their ends."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.nodes: dict[str, Node] = {node.id: node for node in inventory.nodes()}
        self.into, self.out = inventory.by_target(), inventory.by_source()

    def all(self) -> Tables:
        seen = self.inventory
        return Tables(
            jobs=tuple(map(self._job, seen.jobs)),
            queues=self._queues(),
            schedules=tuple(self._row(node, node.when) for node in seen.schedules),
            handlers=tuple(self._row(node, " ".join([*node.methods, node.route])) for node in seen.handlers),
            code=tuple(self._row(node, "") for node in seen.code),
            elsewhere=tuple(self._row(node, "", self._starters(node)) for node in seen.elsewhere),
            spawns=tuple(self._row(node, f"{node.kind}, {node.kept or 'nobody waits for it'}".replace("`", "")) for node in seen.spawns),
            idle=max(0, seen.all_handlers - len(seen.handlers)),
        )

    def _job(self, job: Job) -> JobRow:
        settings = tuple(map(_cell, (job.queue, job.limit, job.retries)))
        return JobRow(
            job.id, visible(job.name), where(job.at), visible(job.framework_name), settings, visible(job.again), self._starters(job)
        )

    def _row(self, node: Node, what: str, ends: tuple[End, ...] | None = None) -> NodeRow:
        found = self._ends((edge, edge.target) for edge in self.out.get(node.id, ())) if ends is None else ends
        return NodeRow(node.id, visible(node.name), visible(what.strip()), where(node.at), visible(node.framework_name), found)

    def _starters(self, node: Node) -> tuple[End, ...]:
        return self._ends((edge, edge.source) for edge in self.into.get(node.id, ()))

    def _ends(self, ends: Iterable[tuple[Edge, str]]) -> tuple[End, ...]:
        made: dict[tuple[str, str], End] = {}
        for edge, other in ends:
            node = self.nodes[other]
            made.setdefault((other, edge.kind), End(other, visible(node.name), node.role, visible(_by(edge))))
        return tuple(made.values())

    def _queues(self) -> tuple[Queue, ...]:
        queues: dict[str, list[End]] = {}
        for job in self.inventory.jobs:
            if job.queue.source not in ("none", "unknown"):
                queues.setdefault(visible(job.queue.words), []).append(End(job.id, visible(job.name), "job", where(job.at)))
        return tuple(Queue(name, jobs) for name, jobs in sorted(queues.items()))


def _cell(value: Value) -> Cell:
    more = where(value.at) if value.at is not None else visible(value.why)
    return Cell(visible(value.words), SAYS[value.source], more, value.source in ("unknown", "varies"))


def _by(edge: Edge) -> str:
    through = f" through {', '.join(edge.through)}" if edge.through else ""
    return f"{edge.kind} it at {where(edge.at)}{through}"
