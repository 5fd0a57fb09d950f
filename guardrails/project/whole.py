"""The project as checks see it: facts, and answers to what they ask beyond them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from guardrails import rulebook
from guardrails.config import Config
from guardrails.facts import Enqueue, Fact, Guard, Handler, Job, Scope, Spawn
from guardrails.facts.change import Message
from guardrails.facts.effects import Effect
from guardrails.facts.waiting import Wait
from guardrails.finding import Related, Unsure
from guardrails.names.code import Code
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Outline
from guardrails.place import Place
from guardrails.project.again import Again
from guardrails.project.answering import Answering, Flow
from guardrails.project.below import keeps_to_itself
from guardrails.project.calls import Reach
from guardrails.project.entry import Entries, Entry, Start, Table
from guardrails.project.guards import Guards


class Project:
    """What checks may ask beyond the facts."""

    def __init__(self, code: Code, resolver: Resolver, reach: Reach, guards: Guards, config: Config) -> None:
        self._config = config
        self._code, self._resolver, self._reach, self._guards = code, resolver, reach, guards
        self._entries = Entries(resolver, reach)
        self._aboves: dict[tuple[Scope, int], list[Entry]] = {}
        self._handlers: dict[Home, Handler] = {}
        self._jobs: dict[Home, Job] = {}
        self._spawned: dict[Home, Spawn] = {}
        self._by_symbol: dict[str, Job] = {}
        self._bodies: Mapping[str, Home] = {}
        self.facts: tuple[Fact, ...] = ()
        self.ended: tuple[Unsure, ...] = ()  # of no rule: where a search stopped at a limit
        self.jobs: tuple[Job, ...] = ()
        self._spans: dict[type[Fact], dict[str, list[Place]]] = {}
        self._messages: Callable[[str], Message | None] | None = None

    @property
    def outlines(self) -> Mapping[str, Outline]:
        """The outline of every file that was read."""
        return {part.path: part.outline for part in self._code.parts()}

    @property
    def sources(self) -> Mapping[str, bytes]:
        """The bytes of every file that was read."""
        return self._code.sources

    def settle(
        self, facts: tuple[Fact, ...], homes: Mapping[str, Home], spawned: Mapping[Place, Home], messages: Callable[[str], Message | None]
    ) -> None:
        """Take the facts in; `homes` has each job's body, `spawned` what the spawn at a place runs, `messages` what a job is sent."""
        self.facts, self._bodies, self._messages = facts, homes, messages
        self.jobs = tuple(fact for fact in facts if isinstance(fact, Job))
        for fact in facts:
            if isinstance(fact, Handler):
                self._handlers.setdefault(Home(fact.scope.path, fact.scope.function), fact)
            elif isinstance(fact, Spawn) and fact.place in spawned:
                self._spawned.setdefault(spawned[fact.place], fact)
            elif isinstance(fact, Job):
                self._by_symbol.setdefault(fact.symbol, fact)
                if fact.symbol in homes:
                    self._jobs.setdefault(homes[fact.symbol], fact)

    def option(self, rule: str, name: str) -> float:
        """A number that the project may set for a rule; else the rule page's default."""
        return rulebook.number(self._config.options, rule, name)

    def is_set(self, rule: str, name: str) -> bool:
        """Whether the project chose a number for a rule itself."""
        return name in self._config.options.get(rule, {})

    @property
    def redact_helper(self) -> str:
        """The project's own function that masks a secret, "" where it names none."""
        return self._config.redact_helpers[0] if self._config.redact_helpers else ""

    def job(self, symbol: str) -> Job | None:
        """A job by its symbol."""
        return self._by_symbol.get(symbol)

    def message(self, job: Job) -> Message | None:
        """What a queued message says to a job; None where nothing is queued."""
        return self._messages(job.symbol) if self._messages else None

    def guard_in(self, job: Job) -> Guard | None:
        """What makes a second run of a job harmless: a guard at the opening of its body."""
        body = self._bodies.get(job.symbol)
        return self._guards.opening(body) if body is not None else None

    def only_recomputes(self, job: Job) -> bool:
        """A job whose body was read and tells nobody anything: done twice, it ends where it ended the first time."""
        body = self._bodies.get(job.symbol)
        return body is not None and keeps_to_itself(self._resolver, body)

    def guard_before(self, fact: Fact) -> Guard | None:
        """A guard that runs before the call that a fact is about, or holds around it."""
        home = Home(fact.scope.path, fact.scope.function)
        function = self._resolver.definition(home)
        site = next((site for site in function.sites if site.call.start == fact.place.start and site.call.end == fact.place.end), None)
        return self._guards.before(home, function.steps[site.step]) if site is not None else None

    def handlers_above(self, scope: Scope) -> list[Entry]:
        """The handlers in which, or below which, a scope stands; nearest first."""
        return self._above(scope, self._handlers)

    def guard_along(self, entry: Entry) -> Guard | None:
        """A guard that runs before one of the calls on the way down from an entry."""
        for step in entry.steps:
            function = self._resolver.definition(step.home)
            site = next((site for site in function.sites if site.call.func.start == step.start), None)
            guard = self._guards.before(step.home, function.steps[site.step]) if site is not None else None
            if guard is not None:
                return guard
        return None

    def spawns_above(self, scope: Scope) -> list[Entry]:
        """The functions that run beside a flow (thread, task, pool) in which, or below which, a scope stands; nearest first."""
        return self._above(scope, self._spawned)

    def jobs_above(self, scope: Scope) -> list[Entry]:
        """The jobs in which, or below which, a scope stands; nearest first."""
        return self._above(scope, self._jobs)

    def starts_above(self, scope: Scope) -> list[Start]:
        """What leads to a scope: handlers, jobs, spawned functions, and functions that nobody is known to call; nearest first."""
        return self._entries.starts(scope, (self._handlers, self._jobs, self._spawned))

    def worker_of(self, scope: Scope) -> tuple[str, tuple[Related, ...]] | None:
        """The job, else the spawn, that runs a scope: both in words, and the way to it."""
        entries = self.jobs_above(scope) or self.spawns_above(scope)
        if not entries:
            return None
        inside = "" if scope.title == f"`{entries[0].name}`" else f" in `{entries[0].name}`"
        return f"{scope.title}{inside}", (Related(entries[0].fact.place, "it starts here"), *entries[0].way)

    @cached_property
    def answering(self) -> Answering:
        """What stands between requests and their answers."""
        return Answering(self._resolver, self._reach, Flow(self._handlers, self._jobs, self._spawned, self.facts))

    def again(self, effect: Effect, job: Job) -> Related | None:
        """What may fail once a job has done something outside, and makes it do that again; None where that is harmless."""
        homes = [home for home, fact in self._jobs.items() if fact is job]
        found = self._reach.above(Home(effect.scope.path, effect.scope.function), lambda home: home in homes)
        return self._again.why(effect, job, [(step.home, step.start) for step in found[0][1]]) if found else None

    @cached_property
    def _again(self) -> Again:
        risks: dict[str, set[int]] = {}
        for fact in self.facts:
            if isinstance(fact, Effect | Wait | Enqueue):
                risks.setdefault(fact.place.path, set()).add(fact.place.start)
        return Again(self._resolver, self._guards, {path: frozenset(starts) for path, starts in risks.items()})

    def is_within(self, place: Place, kind: type[Fact]) -> bool:
        """Whether a fact of a kind spans a place."""
        if kind not in self._spans:
            spans: dict[str, list[Place]] = {}
            for fact in self.facts:
                if isinstance(fact, kind):
                    spans.setdefault(fact.place.path, []).append(fact.place)
            self._spans[kind] = spans
        return any(one.start <= place.start and place.end <= one.end for one in self._spans[kind].get(place.path, ()))

    def _above(self, scope: Scope, table: Table) -> list[Entry]:
        key = (scope, id(table))
        if key not in self._aboves:
            self._aboves[key] = self._entries.above(scope, table)
        return list(self._aboves[key])
