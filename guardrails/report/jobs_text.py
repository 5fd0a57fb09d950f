"""The inventory for people: each framework's jobs with their settings, where each setting comes from, and who starts them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from guardrails.inventory import Code, Edge, Elsewhere, Handler, Inventory, Job, Node, Schedule, Spawn, Value
from guardrails.report.ink import Ink
from guardrails.report.safe import visible, wrap
from guardrails.report.snippet import at_line
from guardrails.report.tally import count

STARTS = 6  # of one job that are told unless all are asked for
_LABEL = 9


def render(inventory: Inventory, ink: Ink, columns: int, every: bool = False) -> str:
    """The whole map, ending in a newline."""
    return "\n".join(_Page(inventory, ink, columns, every).lines()) + "\n"


def origin(value: Value, title: str) -> str:
    """Who says what holds, in words."""
    at = at_line(value.at) if value.at is not None else ""
    match value.source:
        case "job" | "settings":
            return at
        case "framework":
            return value.why if value.words == "none" and value.why and "://" not in value.why else f"default of {title}"
        case _:
            return ", ".join(part for part in (visible(value.why), at) if part)


class _Page:
    """Lays out one inventory."""

    def __init__(self, inventory: Inventory, ink: Ink, columns: int, every: bool) -> None:
        self.inventory, self.ink, self.columns, self.every = inventory, ink, columns, every
        self.nodes: dict[str, Node] = {node.id: node for node in inventory.nodes()}
        self.into = inventory.by_target()

    def lines(self) -> Iterator[str]:
        for title, jobs in self.inventory.by_framework():
            yield from self._head(title, count(len(jobs), "job"))
            for job in jobs:
                yield from self._job(job, title)
        yield from self._others("Started here, not declared here", self.inventory.elsewhere)
        yield from self._others("Spawned beside the flow", self.inventory.spawns)
        yield from wrap(_summary(self.inventory), self.columns)

    def _head(self, title: str, note: str) -> Iterator[str]:
        yield f"{self.ink(visible(title), 'strong')} {self.ink(f'({note})', 'quiet')}"
        yield ""

    def _job(self, job: Job, title: str) -> Iterator[str]:
        yield from self._named(job)
        for label, value in (("limit", job.limit), ("retries", job.retries), ("queue", job.queue)):
            yield from self._setting(label, value, title)
        if job.again and job.again not in job.retries.why and not job.retries.number:
            yield from self._said("repeats", job.again)
        yield from self._starts(job)
        yield ""

    def _named(self, node: Node, note: str = "") -> Iterator[str]:
        name, *rest = wrap(f"{node.name}{note}", self.columns - len(at_line(node.at)) - 4, "  ", "  ")
        yield f"{self.ink(name, 'strong')}  {self.ink(at_line(node.at), 'quiet')}"
        yield from rest

    def _setting(self, label: str, value: Value, title: str) -> Iterator[str]:
        told = origin(value, title)
        yield from self._said(label, f"{value.words}{f' ({told})' if told else ''}", warn=label == "limit" and value.words == "none")

    def _said(self, label: str, words: str, warn: bool = False) -> Iterator[str]:
        lead = "    " + label.ljust(_LABEL)
        first, *rest = wrap(words, self.columns, lead, " " * len(lead))
        told = first[len(lead) :]
        yield f"    {self.ink(label, 'second')}{' ' * (_LABEL - len(label))}{self.ink(told, 'warning') if warn else told}"
        yield from rest

    def _starts(self, node: Node) -> Iterator[str]:
        grouped: dict[str, list[Edge]] = {}
        for edge in self.into.get(node.id, ()):
            grouped.setdefault(edge.source, []).append(edge)
        if not grouped:
            yield from self._said("started", "by nobody that was seen")
        shown = len(grouped) if self.every or len(grouped) <= STARTS else STARTS - 1
        for number, edges in enumerate(list(grouped.values())[:shown]):
            yield from self._said("started" if not number else "", self._start(edges))
        if shown < len(grouped):
            yield from self._said("", f"... and {len(grouped) - shown} more (--all)")

    def _start(self, edges: Sequence[Edge]) -> str:
        source = self.nodes[edges[0].source]
        spots = dict.fromkeys(at_line(edge.at) for edge in edges)
        through = f" through {edges[0].through[-1]}" if edges[0].through else ""
        queues = {edge.queue for edge in edges if edge.queue}
        queue = f", queue {sorted(queues)[0]}" if len(queues) == 1 else ""
        return f"by {described(source)}{visible(through)}, {', '.join(list(spots)[:3])}{visible(queue)}"

    def _others(self, title: str, nodes: Sequence[Elsewhere | Spawn]) -> Iterator[str]:
        if not nodes:
            return
        yield from self._head(title, str(len(nodes)))
        for node in nodes:
            kept = f", {node.kept}" if isinstance(node, Spawn) and node.kept else ""
            kind = f" ({node.kind}{kept})" if isinstance(node, Spawn) else f" ({node.framework_name})"
            yield from self._named(node, kind)
            yield from self._starts(node)
            yield ""


def described(node: Node) -> str:
    """Who starts work, in words: `handler POST /orders, create_order`."""
    match node:
        case Handler(methods=methods, route=route):
            address = f"{'/'.join(methods)} {route}".strip()
            words = f"handler {node.name}" + (f" ({address})" if address and address != node.name else "")
        case Schedule(when=when):
            words = f"schedule {when}" if when else "a schedule"
        case Job():
            words = f"job {node.name}"
        case Spawn():
            words = f"spawned {node.name}"
        case Code():
            words = f"module {node.at.path}" if node.name in ("", "<module>") else node.name
        case _:
            words = node.name
    return visible(" ".join(words.split()))


def _summary(inventory: Inventory) -> str:
    if not inventory.jobs and not inventory.edges:
        return "No background job was recognised."
    endless = sum(job.limit.words == "none" for job in inventory.jobs)
    unsure = sum(job.limit.source == "unknown" for job in inventory.jobs)
    limits = ", ".join([f"{endless} without a time limit"] * bool(endless) + [f"{unsure} whose limit could not be told"] * bool(unsure))
    parts: Iterable[str] = (
        count(len(inventory.jobs), "job") + (f" ({limits})" if limits else ""),
        count(len(inventory.schedules), "schedule"),
        count(len(inventory.spawns), "spawn"),
        f"{len(inventory.handlers)} of {count(inventory.all_handlers, 'handler')} hand work over",
    )
    return f"{', '.join(parts)}."
