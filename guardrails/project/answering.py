"""What stands between a request and its answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from guardrails.facts import Enqueue, Fact, Handler, Job, Scope, Spawn
from guardrails.names.code import owner_of
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Await, Call, Function, Site, dotted, walk
from guardrails.place import Place
from guardrails.project.calls import Edge, Reach
from guardrails.project.entry import Entries, Entry

_WAITED = ("it is awaited", "it is waited for", "leaving the `with` block waits for it")


class Flow(msgspec.Struct, frozen=True):
    """Who answers, what runs elsewhere, and all facts."""

    handlers: Mapping[Home, Handler]
    jobs: Mapping[Home, Job]
    spawned: Mapping[Home, Spawn]
    facts: tuple[Fact, ...]


class Answering:
    """Tells which handlers answer only after something was done."""

    def __init__(self, resolver: Resolver, reach: Reach, flow: Flow) -> None:
        self._resolver, self._reach, self._flow = resolver, reach, flow
        self._entries = Entries(resolver, reach)
        self._enqueues = {(fact.place.path, fact.place.start) for fact in flow.facts if isinstance(fact, Enqueue)}
        self._spawns: dict[str, list[Spawn]] = {}
        for fact in flow.facts:
            if isinstance(fact, Spawn):
                self._spawns.setdefault(fact.place.path, []).append(fact)
        self._after: dict[tuple[type[Fact], ...], dict[Scope, list[tuple[Fact, tuple[Entry, ...]]]]] = {}

    def above(self, scope: Scope) -> list[Entry]:
        """The handlers whose answer waits for what stands in a scope: not by way of what they spawn or enqueue; nearest first."""
        spawned = (self._flow.spawned.get(home) for home in self._reach.around(Home(scope.path, scope.function)))
        if any(spawn is not None and _runs_on(spawn) for spawn in spawned):
            return []
        return self._entries.above(scope, self._flow.handlers, self._is_apart)

    def _is_apart(self, edge: Edge, callee: Home) -> bool:
        """The callee does not run in the flow of its caller: it is passed on to a spawn or a queue, or the call enqueues it."""
        if self._reach.is_call(edge):
            return (edge.caller.file, edge.start) in self._enqueues or self._is_sent_off(edge, callee) or self._is_also_started(edge)
        spawn = self._flow.spawned.get(callee)
        if callee in self._flow.jobs or (spawn is not None and _runs_on(spawn)):
            return True
        near = [one for one in self._spawns.get(edge.caller.file, ()) if _runs_on(one)]
        holders = self._holders(edge) if near else set()
        return any(
            (one.place.start <= edge.start and edge.end <= one.place.end)
            or (one.scope.function == edge.caller.function and one.call.rpartition(".")[0] in holders)
            for one in near
        )

    def _is_also_started(self, edge: Edge) -> bool:
        """The call runs in place, under a condition, what the same function otherwise starts: `mail.run()` beside `mail.start()`."""
        here = [one for one in self._spawns.get(edge.caller.file, ()) if one.scope.function == edge.caller.function and _runs_on(one)]
        sites = self._resolver.definition(edge.caller).sites if here else ()
        owner = next((dotted(site.call.func).rpartition(".")[0] for site in sites if site.call.func.start == edge.start), "")
        return bool(owner) and any(one.call.rpartition(".")[0] == owner for one in here)

    def _is_sent_off(self, edge: Edge, callee: Home) -> bool:
        """The call makes a coroutine, which a spawn or a helper that spawns takes, and the caller does not await what that gives."""
        caller = self._resolver.definition(edge.caller)
        if not self._resolver.definition(callee).is_async:
            return False
        for site in caller.sites:
            taken = (arg.value.func.start for arg in site.call.args if isinstance(arg.value, Call))
            if edge.start in taken and self._spawns_in(edge.caller, site.call):
                return not _awaits(caller, site)
        return False

    def _spawns_in(self, home: Home, call: Call) -> bool:
        """The call is a spawn, or runs a plain function of the project in which there is one: only a spawn runs a coroutine there."""
        if any(one.place.start == call.start for one in self._spawns.get(home.file, ())):
            return True
        value = self._resolver.resolve(home.file, home.function, call.func)
        helper = value.home if value is not None else None
        if helper is None or self._resolver.definition(helper).kind != "function" or self._resolver.definition(helper).is_async:
            return False
        return any(one.scope.function == helper.function for one in self._spawns.get(helper.file, ()))

    def _holders(self, edge: Edge) -> set[str]:
        """The names of what the calls around an edge make: `worker` of `worker = Thread(target=run)`."""
        sites = self._resolver.definition(edge.caller).sites
        return {site.holder for site in sites if site.use == "assigned" and site.call.start <= edge.start and edge.end <= site.call.end}

    def after(
        self,
        handler: Handler,
        kinds: tuple[type[Fact], ...],
        counts: Callable[[Fact], bool],
        is_minor: Callable[[Entry], bool],
    ) -> list[tuple[Fact, tuple[Entry, ...]]]:
        """The facts of some kinds that count and that a handler, of all the nearest (minor ones last), answers after; with all that do."""
        if kinds not in self._after:
            found: dict[Scope, list[tuple[Fact, tuple[Entry, ...]]]] = {}
            for fact in self._flow.facts:
                entries = self.above(fact.scope) if isinstance(fact, kinds) and counts(fact) else []
                waiting = [one for one in entries if isinstance(one.fact, Handler) and not one.fact.streams]
                if waiting:
                    ordered = tuple(sorted(waiting, key=is_minor))
                    found.setdefault(ordered[0].fact.scope, []).append((fact, ordered))
            self._after[kinds] = found
        return [(fact, entries) for fact, entries in self._after[kinds].get(handler.scope, []) if entries[0].fact == handler]

    def is_async(self, scope: Scope) -> bool:
        """Whether a scope is a coroutine function: what it awaits holds no thread."""
        return self._resolver.definition(Home(scope.path, scope.function)).is_async

    def holds_loop(self, entry: Entry) -> bool:
        """Whether an entry is a coroutine that makes all calls on its way itself: what blocks there holds all requests."""
        return self.is_async(entry.fact.scope) and all(self._reach.is_call(Edge(hop.home, hop.start, hop.end)) for hop in entry.steps)

    def place_in(self, entry: Entry, fact: Fact) -> Place:
        """Where an entry itself, or its class, leads to what a fact is about; the fact's own place where it stands there."""
        home = Home(entry.fact.scope.path, entry.fact.scope.function)
        functions = self._resolver.part(home).functions
        owner = owner_of(functions, home.function)
        span = functions[owner if owner >= 0 else home.function]
        places = (fact.place, *(hop.place for hop in reversed(entry.way)))
        inside = (place for place in places if place.path == home.file and span.start <= place.start and place.end <= span.end)
        return next(inside, fact.place)


def _awaits(function: Function, site: Site) -> bool:
    """The function awaits what a call gave: around the call, or by a name or a list that it was put into."""
    step = function.steps[site.step]
    around = (one.call for one in function.sites if one.call.start < site.call.start and site.call.end <= one.call.end)
    owners = (dotted(call.func).rpartition(".")[0] for call in around)
    names = {*(dotted(target) for target in step.targets), *owners} - {""}
    for one in function.steps:
        for expr in walk(one.value) if one.value is not None else ():
            if isinstance(expr, Await) and (
                expr.start <= site.call.start < expr.end or any(dotted(part) in names for part in walk(expr.value))
            ):
                return True
    return False


def _runs_on(spawn: Spawn) -> bool:
    """Whoever spawned it goes on without it: what is only held is not waited for."""
    return spawn.kept not in _WAITED
