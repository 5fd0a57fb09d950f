"""Entries: the handlers, jobs and spawns from which code is reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from guardrails.facts import Handler, Job, Scope, Spawn
from guardrails.finding import Related
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.place import Place
from guardrails.project.calls import Edge, Reach, Step

Table = Mapping[Home, Handler] | Mapping[Home, Job] | Mapping[Home, Spawn]


class Entry(msgspec.Struct, frozen=True):
    """A handler, a job or a spawn that reaches a place, with the calls on the way from it."""

    fact: Handler | Job | Spawn
    way: tuple[Related, ...]
    steps: tuple[Step, ...] = ()  # the same calls, with the functions in which they stand

    @property
    def name(self) -> str:
        """The entry in words."""
        return self.fact.runs if isinstance(self.fact, Spawn) else self.fact.name


class Entries:
    """Finds the entries above a scope."""

    def __init__(self, resolver: Resolver, reach: Reach) -> None:
        self._resolver, self._reach = resolver, reach

    def above(self, scope: Scope, table: Table, is_apart: Callable[[Edge, Home], bool] = lambda edge, callee: False) -> list[Entry]:
        """The entries of a table in which, or below which, a scope stands; nearest first. Edges that run apart are not followed."""
        found = self._reach.above(Home(scope.path, scope.function), lambda home: home in table, is_apart)
        return [Entry(table[home], tuple(self._hop(step) for step in way), way) for home, way in found]

    def _hop(self, step: Step) -> Related:
        name = self._resolver.definition(step.home).qualname
        return Related(Place(step.home.file, step.start, step.end), f"`{name}` calls it here")
