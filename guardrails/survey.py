"""From facts to the inventory: nodes for jobs and whatever starts them, edges between, settings in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import TypeVar

import msgspec

from guardrails import facts
from guardrails.facts import Enqueue, Fact
from guardrails.facts.flow import Tick
from guardrails.facts.policy import HandOver, Policy
from guardrails.inventory import Code, Edge, Elsewhere, Handler, Inventory, Job, Link, Node, Schedule, Spawn
from guardrails.place import Place, Spot
from guardrails.project import Project, Start
from guardrails.said import attempts_of, limit_of, queue_of, retries_of, same

Spots = Callable[[Place], Spot]
Some = TypeVar("Some", bound=Fact)
_MODULE = "the module's own lines"


def survey(project: Project, judged: AbstractSet[str], spot: Spots) -> Inventory:
    """What was recognised in, and around, the judged files. The project must have been understood for a survey."""
    return _Survey(project, judged, spot).inventory()


class _Survey:
    """The tables of one inventory; nodes are made when an edge, or a judged file, needs them."""

    def __init__(self, project: Project, judged: AbstractSet[str], spot: Spots) -> None:
        self.project, self.judged, self.spot = project, judged, spot
        self.policies = {one.symbol: one for one in self._all(Policy)}
        self.queues = {one.place: one for one in self._all(HandOver)}
        self.said: dict[str, list[HandOver]] = {}
        for hand_over in self.queues.values():
            self.said.setdefault(hand_over.job, []).append(hand_over)
        self.facts_of: dict[str, list[facts.Job]] = {}
        for job in project.jobs:
            self.facts_of.setdefault(job.symbol, []).append(job)
        self.nodes: dict[tuple[str, ...], Node] = {}
        self.edges: dict[Edge, None] = {}

    def _all(self, kind: type[Some]) -> list[Some]:
        return [fact for fact in self.project.facts if isinstance(fact, kind)]

    def inventory(self) -> Inventory:
        """Nodes in the order in which their places stand, edges by their ends."""
        for symbol in self.facts_of:
            self._job(symbol)
        for enqueue in self._all(Enqueue):
            self._enqueued(enqueue)
        for spawn in self._all(facts.Spawn):
            self._led(spawn, self._spawn(spawn), "spawns")
        for schedule in self._all(facts.Schedule):
            self._scheduled(schedule)
        return self._cut()

    def _cut(self) -> Inventory:
        """What stands in judged files, with everything at the other end of its edges; ids are given now."""
        inside = {key for key, node in self.nodes.items() if node.at.path in self.judged}
        by_id = {node.id: key for key, node in self.nodes.items()}
        order = {node.id: (node.at, node.name) for node in self.nodes.values()}
        edges = [edge for edge in self.edges if by_id[edge.source] in inside or by_id[edge.target] in inside]
        kept = inside | {by_id[end] for edge in edges for end in (edge.source, edge.target)}
        nodes = sorted((node for key, node in self.nodes.items() if key in kept), key=lambda node: (node.at, node.name, node.id))
        ids = {node.id: f"{node.role}-{number}" for number, node in _numbered(nodes)}
        renamed = [msgspec.structs.replace(node, id=ids[node.id]) for node in nodes]
        edges.sort(key=lambda edge: (order[edge.target], edge.kind, order[edge.source], edge.at))
        moved = [msgspec.structs.replace(edge, source=ids[edge.source], target=ids[edge.target]) for edge in edges]
        receiving = [fact for fact in self._all(Enqueue) if fact.receives]
        handlers = sum(fact.place.path in self.judged for fact in (*self._all(facts.Handler), *receiving))
        return Inventory(
            jobs=_of(renamed, Job), handlers=_of(renamed, Handler), schedules=_of(renamed, Schedule), spawns=_of(renamed, Spawn),
            code=_of(renamed, Code), elsewhere=_of(renamed, Elsewhere),
            edges=tuple(moved), all_handlers=handlers,
        )  # fmt: skip

    def _put(self, key: tuple[str, ...], make: Callable[[str], Node]) -> Node:
        if key not in self.nodes:
            self.nodes[key] = make(str(len(self.nodes)))
        return self.nodes[key]

    def _job(self, symbol: str) -> Node:
        return self._put(("job", symbol), lambda mark: self._made(mark, self.facts_of[symbol]))

    def _made(self, mark: str, alike: Sequence[facts.Job]) -> Job:
        """One job, which several enqueues may declare."""
        job, policy = alike[0], self.policies.get(alike[0].symbol)
        said = self.said.get(job.symbol, [])
        limits = [limit_of(one, self.spot) for one in alike]
        return Job(
            id=mark,
            name=job.name.removeprefix("?"),
            at=self.spot(policy.place if policy is not None and not job.symbol.startswith("?") else job.place),
            framework=job.framework,
            title=job.title,
            symbol=job.symbol.removeprefix("?"),
            language=job.language,
            limit=same(limits, "its enqueues differ"),
            retries=attempts_of(said, self.spot) or retries_of(job, policy, self.spot),
            queue=queue_of(policy, said, self.spot),
            again=job.repeats.words if job.repeats is not None else "",
        )

    def _spawn(self, fact: facts.Spawn) -> Node:
        name = fact.runs or fact.call
        return self._put(
            ("spawn", fact.place.path, str(fact.place.start)),
            lambda mark: Spawn(
                id=mark, name=name, at=self.spot(fact.place), framework=fact.framework, title=fact.title, kind=fact.kind, kept=fact.kept
            ),
        )

    def _handler(self, fact: facts.Handler) -> Node:
        return self._put(
            ("handler", fact.place.path, str(fact.place.start), fact.name),
            lambda mark: Handler(
                id=mark, name=fact.name, at=self.spot(fact.place), framework=fact.framework, title=fact.title, route=fact.route,
                methods=fact.methods,
            ),
        )  # fmt: skip

    def _webhook(self, fact: Enqueue) -> Node:
        """What takes the events of others, by a framework's own call."""
        return self._put(
            ("handler", fact.place.path, str(fact.place.start), fact.receives),
            lambda mark: Handler(
                id=mark, name="webhook", at=self.spot(fact.place), framework=fact.framework, title=fact.title, route=fact.receives,
                methods=("POST",),
            ),
        )  # fmt: skip

    def _code(self, start: Start) -> Node:
        scope = start.scope
        name = scope.name or _MODULE
        return self._put(("code", scope.path, str(scope.function)), lambda mark: Code(id=mark, name=name, at=self.spot(start.place)))

    def _source(self, start: Start) -> Node:
        match start.fact:
            case facts.Handler() as handler:
                return self._handler(handler)
            case facts.Job() as job:
                return self._job(job.symbol)
            case facts.Spawn() as spawn:
                return self._spawn(spawn)
        return self._code(start)

    def _target(self, symbol: str, name: str, fact: Fact) -> Node:
        if symbol in self.facts_of:
            return self._job(symbol)
        words = name or symbol.removeprefix("?") or "work that could not be resolved"
        return self._put(
            ("elsewhere", fact.framework, words),
            lambda mark: Elsewhere(id=mark, name=words, at=self.spot(fact.place), framework=fact.framework, title=fact.title),
        )

    def _enqueued(self, fact: Enqueue) -> None:
        said = self.queues.get(fact.place)
        if said is not None and said.passes:
            return
        setting = said.queue if said is not None else None
        queue = str(setting.value) if isinstance(setting, facts.Known) else ""
        if fact.receives:
            self._join(Edge(self._webhook(fact).id, self._target(fact.job, fact.target, fact).id, "enqueues", self.spot(fact.place)))
            return
        self._led(fact, self._target(fact.job, fact.target, fact), "enqueues", queue)

    def _led(self, fact: Fact, target: Node, link: Link, queue: str = "") -> None:
        """An edge from each start above a hand-over."""
        for start in self.project.starts_above(fact.scope):
            through = tuple(one.message.partition("`")[2].partition("`")[0] for one in start.way[1:])
            self._join(Edge(self._source(start).id, target.id, link, self.spot(fact.place), through, queue))

    def _join(self, edge: Edge) -> None:
        if edge.source != edge.target or edge.kind == "enqueues":
            self.edges[edge] = None

    def _scheduled(self, fact: facts.Schedule) -> None:
        target = self._target(self._meant(fact), fact.job, fact)
        name = fact.job.rpartition(".")[2] or "a clock"
        clock = self._put(
            ("schedule", fact.place.path, str(fact.place.start)),
            lambda mark: Schedule(id=mark, name=name, at=self.spot(fact.place), framework=fact.framework, title=fact.title, when=fact.when),
        )
        self._join(Edge(clock.id, target.id, "schedules", self.spot(fact.place)))

    def _meant(self, fact: facts.Schedule) -> str:
        """The symbol of the job that a clock starts: as resolved, by its name, or the function that carries the schedule."""
        ticks = [tick.symbol for tick in self._all(Tick) if tick.place == fact.place]
        named = [job.symbol for job in self.project.jobs if fact.job and fact.job in (job.symbol, job.name)]
        around = [job.symbol for job in self.project.jobs if job.scope == fact.scope and job.scope.function]
        last = fact.job.rpartition(".")[2]
        ends = [job.symbol for job in self.project.jobs if last and job.symbol.rpartition(".")[2] == last]
        return next(iter((*ticks, *named, *around, *(ends if len(set(ends)) == 1 else ()))), "")


def _numbered(nodes: Iterable[Node]) -> Iterable[tuple[int, Node]]:
    """Each node with its number among the nodes of its kind."""
    counts: dict[type, int] = {}
    for node in nodes:
        counts[type(node)] = counts.get(type(node), 0) + 1
        yield counts[type(node)], node


Kind = TypeVar("Kind", bound=Node)


def _of(nodes: Iterable[Node], kind: type[Kind]) -> tuple[Kind, ...]:
    return tuple(node for node in nodes if isinstance(node, kind))
