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


class Start(msgspec.Struct, frozen=True):
    """What leads to a place: an entry, or with `fact` None a function that nobody is known to call; `way` are the calls between.

    `place` is the name of the function; of a module, its beginning.
    """

    fact: Handler | Job | Spawn | None
    scope: Scope
    place: Place
    way: tuple[Related, ...] = ()


class Entries:
    """Finds the entries above a scope."""

    def __init__(self, resolver: Resolver, reach: Reach) -> None:
        self._resolver, self._reach = resolver, reach

    def above(self, scope: Scope, table: Table, is_apart: Callable[[Edge, Home], bool] = lambda edge, callee: False) -> list[Entry]:
        """The entries of a table in which, or below which, a scope stands; nearest first. Edges that run apart are not followed."""
        found = self._reach.above(Home(scope.path, scope.function), lambda home: home in table, is_apart)
        return [Entry(table[home], tuple(self._hop(step) for step in way), way) for home, way in found]

    def starts(self, scope: Scope, tables: tuple[Table, ...]) -> list[Start]:
        """The entries of any of the tables, and the functions that nobody calls, in which, or below which, a scope stands."""

        def is_start(home: Home) -> bool:
            return any(home in table for table in tables) or self._reach.is_start(home)

        own = Home(scope.path, scope.function)
        return [self._start(home, way, tables) for home, way in self._reach.above(own, is_start) or [(own, ())]]

    def _start(self, home: Home, way: tuple[Step, ...], tables: tuple[Table, ...]) -> Start:
        fact = next((table[home] for table in tables if home in table), None)
        function = self._resolver.definition(home)
        place = Place(home.file, function.name_start, function.name_end) if home.function else Place(home.file, 0, 0)
        return Start(fact, Scope(home.file, home.function, function.qualname), place, tuple(self._hop(step) for step in way))

    def _hop(self, step: Step) -> Related:
        name = self._resolver.definition(step.home).qualname
        return Related(Place(step.home.file, step.start, step.end), f"`{name}` calls it here")
