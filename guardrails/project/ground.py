"""What senses stand on: everything that is known of the project while facts are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from guardrails import rulebook
from guardrails.config import Config
from guardrails.facts import Scope
from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import CallSeen, JobTable, MarkSeen, Sighting
from guardrails.names.code import Code, Part
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Expr
from guardrails.place import Place
from guardrails.project.calls import Callers
from guardrails.project.guards import Guards
from guardrails.project.handled import Handled
from guardrails.project.keeping import Keeping
from guardrails.project.logged import Values
from guardrails.project.main_work import MainWork
from guardrails.project.settings import Settings
from guardrails.project.shapes import Shapes

Seen = TypeVar("Seen", bound=Sighting)


class Roles:
    """The calls and decorators that models name, by role; `seen` only grows while senses ask, or is cut down at once."""

    def __init__(self) -> None:
        self.calls: dict[str, list[CallSeen]] = {}
        self.marks: dict[str, list[MarkSeen]] = {}
        self._count = 0

    def upto(self, seen: list[Sighting]) -> Roles:
        """With all sightings of a list that may have grown."""
        if len(seen) < self._count:
            self.calls, self.marks, self._count = {}, {}, 0
        for one in seen[self._count :]:
            if isinstance(one, CallSeen):
                self.calls.setdefault(one.role, []).append(one)
            elif isinstance(one, MarkSeen):
                self.marks.setdefault(one.role, []).append(one)
        self._count = len(seen)
        return self


class Ground(msgspec.Struct, frozen=True):
    """The tables of one run. `seen` and `jobs` grow until the facts are made; `spawned` says which functions a spawn runs."""

    code: Code
    resolver: Resolver
    catalogue: Catalogue
    config: Config
    callers: Callers
    settings: Settings
    shapes: Shapes
    keeping: Keeping
    guards: Guards
    jobs: JobTable
    seen: list[Sighting]
    handled: Handled
    work: MainWork
    values: Values
    roles: Roles = msgspec.field(default_factory=lambda: Roles())

    def parts(self) -> list[Part]:
        """The files that were read."""
        return self.code.parts()

    def sightings(self, kind: type[Seen]) -> Iterator[Seen]:
        """All sightings of one kind."""
        return (one for one in self.seen if isinstance(one, kind))

    def calls(self, role: str) -> Iterator[CallSeen]:
        """The calls that models name in a role."""
        return iter(self._by_role().calls.get(role, ()))

    def marks(self, role: str) -> Iterator[MarkSeen]:
        """The decorators that models name in a role."""
        return iter(self._by_role().marks.get(role, ()))

    def _by_role(self) -> Roles:
        """The sightings by role, kept up with what was seen since last time."""
        return self.roles.upto(self.seen)

    def option(self, rule: str, name: str) -> float:
        """A number that the project may set for a rule."""
        return rulebook.number(self.config.options, rule, name)

    def scope(self, home: Home) -> Scope:
        """The scope of a definition."""
        return Scope(home.file, home.function, self.resolver.definition(home).qualname)

    def at(self, model: Model, home: Home, expr: Expr) -> Mapping[str, Any]:
        """What every fact says of itself: place, scope, framework, language, title."""
        return self.standing(model, home, Place(home.file, expr.start, expr.end))

    def standing(self, model: Model, home: Home, place: Place) -> Mapping[str, Any]:
        """The same for any place."""
        language = self.resolver.part(home).language
        return {"place": place, "scope": self.scope(home), "framework": model.framework, "language": language, "title": model.title}

    def text(self, home: Home, expr: Expr) -> str:
        """An expression as it is written."""
        return self.resolver.text(home.file, expr.start, expr.end)
