"""Except clauses in the work of jobs, and in work that was started beside a request: what each does with a failure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from guardrails.facts import Scope
from guardrails.facts.failure import Rescue
from guardrails.finding import Related
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import SpawnSeen
from guardrails.names.values import Home
from guardrails.outline import Function, Literal_, dotted, is_within
from guardrails.place import Place
from guardrails.project.clauses import Caught, Clause, clauses, is_looped, sites_in, steps_in
from guardrails.project.failure_logs import identified
from guardrails.project.ground import Ground
from guardrails.project.handled import is_idle
from guardrails.project.main_work import Stretch
from guardrails.project.secrets import words_of

# Work that only tells somebody how things are: who loses it loses a number.
_TELLING = frozenset("telemetry analytics metrics metric heartbeat posthog track tracking statsd usage ping visit visits visited".split())

# Whose work it is: the model, the name, where a spawn started it (None: a queue did), the calls on the way down to it.
Work: TypeAlias = tuple[Model, str, Scope | None, tuple[Related, ...]]

_MEANT = re.compile(
    r"(?i)best[\s-]*effort|on purpose|deliberate|intentional|swallow|non-?critical|not critical|(?:must|should|do) not (?:fail|block|break)"
)


class Rescues:
    """Makes a fact of each except clause of a job."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._caught = Caught(ground.resolver)
        self._handled, self._work = ground.handled, ground.work

    def facts(self) -> Iterator[Rescue]:
        """A fact a clause; a function that several jobs share is told of once, for the first."""
        done: set[Home] = set()
        for symbol, seen in self._ground.jobs.items():
            if not symbol.startswith("?"):
                yield from self._below(seen.home, seen.model, seen.name, None, done)
        for spawn in self._ground.sightings(SpawnSeen):
            home = self._ground.keeping.body(spawn.runs)
            if home is not None:
                name = self._ground.resolver.definition(home).name
                yield from self._below(home, spawn.model, name, self._ground.scope(spawn.made.home), done)

    def _below(self, home: Home, model: Model, worker: str, started: Scope | None, done: set[Home]) -> Iterator[Rescue]:
        for stretches in self._work.stretches(home):
            here = stretches[-1].home
            function = self._ground.resolver.definition(here)
            if here in done:
                return
            done.add(here)
            way = tuple(self._hop(stretch) for stretch in stretches if stretch.call is not None)
            found = list(clauses(here, function))
            eating = [clause for clause in found if self._eats(clause, function)]
            eating = [one for one in eating if not any(one != other and is_within(function, one.tries, other.tries) for other in eating)]
            for clause in found:
                yield self._rescue(clause, function, eating, (model, worker, started, way))

    def _eats(self, clause: Clause, function: Function) -> bool:
        """The clause catches broadly, once, and tells nobody."""
        return (
            self._caught.breadth(clause) != "narrow"
            and self._handled.outcome(clause, function) in ("logs", "nothing")
            and not is_looped(function, clause.tries)
        )

    def _rescue(self, clause: Clause, function: Function, eating: list[Clause], work: Work) -> Rescue:
        model, worker, started, way = work
        at = self._ground.standing(model, clause.home, Place(clause.home.file, clause.catch.start, clause.catch.end))
        around = [site for site in sites_in(function, clause.tries) if not self._handled.is_log(clause.home, site)]
        outer = [site for site in around if site.use not in ("passed", "chained")]
        named = [text for site in outer if (text := dotted(site.call.func)) and not is_idle(text)]
        serious = [dotted(site.call.func) for site in around if self._work.is_work(clause.home, function, site)]
        return Rescue(
            **at,
            worker=worker,
            caught=self._caught.words(clause),
            breadth=self._caught.breadth(clause),
            outcome=self._handled.outcome(clause, function),
            main=self._work.is_main(clause, function, eating),
            looped=is_looped(function, clause.tries),
            light=bool(_TELLING.intersection(words_of(worker))),
            meant=self._is_meant(clause, function),
            skips=started is None and not identified(function) and self._work.only_looks(clause, function),
            forgotten=started is None and model.failures is not None and model.failures.forgotten,
            around=(serious[-1:] or named[-1:] or [""])[0],
            started=started,
            way=way,
        )

    def _is_meant(self, clause: Clause, function: Function) -> bool:
        """A comment at the clause, or the function's own documentation, says that the failure is dropped on purpose."""
        file, start = clause.home.file, function.blocks[clause.tries].end
        end = min((step.start for step in steps_in(function, clause.block)), default=function.blocks[clause.block].end)
        near = [one.text for one in self._ground.code.part(file).outline.comments if start <= one.start <= end]
        first = function.steps[0].value if function.steps and function.steps[0].kind == "expr" else None
        if isinstance(first, Literal_) and isinstance(first.value, str):
            near.append(first.value)
        return any(_MEANT.search(text) for text in near)

    def _hop(self, stretch: Stretch) -> Related:
        assert stretch.call is not None
        home, call = stretch.call
        return Related(
            Place(home.file, call.start, call.end), f"`{self._ground.resolver.definition(home).qualname}` leaves its work to it here"
        )
