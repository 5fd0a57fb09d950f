"""The whole project as one program: reads what matters, follows it to a fixpoint, and links sightings into facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property

from guardrails import rulebook
from guardrails.config import Config
from guardrails.facts import Enqueue, Fact, Guard, Handler, Job, Scope, Spawn
from guardrails.facts.effects import Effect
from guardrails.facts.waiting import Wait
from guardrails.files import is_test
from guardrails.finding import Related, Unsure
from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.recognise import Recogniser
from guardrails.frameworks.sightings import EnqueueSeen, HandlerSeen, JobSeen, LogSeen, ScheduleSeen, Sighting, SpawnSeen
from guardrails.names.code import Code, Files
from guardrails.names.modules import Modules
from guardrails.names.options import Made
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Outline
from guardrails.place import Place
from guardrails.project.again import Again
from guardrails.project.answering import Answering, Flow
from guardrails.project.below import keeps_to_itself
from guardrails.project.calls import Callers, Reach
from guardrails.project.ended import unnamed, unread, unwrapped
from guardrails.project.entry import Entries, Table
from guardrails.project.entry import Entry as Entry
from guardrails.project.exports import exports
from guardrails.project.ground import Ground
from guardrails.project.guards import Guards
from guardrails.project.handled import Handled
from guardrails.project.keeping import Keeping
from guardrails.project.link import Linker
from guardrails.project.logged import Values
from guardrails.project.main_work import MainWork
from guardrails.project.promises import floating
from guardrails.project.schedules import in_settings
from guardrails.project.secrecy import Secrecies
from guardrails.project.senses import SENSES, Climbing, Wanting
from guardrails.project.settings import Settings
from guardrails.project.shapes import Shapes
from guardrails.project.sift import Sift
from guardrails.project.units import is_development
from guardrails.project.wrappers import is_wrapped, outer_enqueues
from guardrails.stopwatch import Stopwatch

_ROUNDS = 16  # wrappers around wrappers that are followed
Reader = Callable[[str, bytes], Outline]


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

    @property
    def outlines(self) -> Mapping[str, Outline]:
        """The outline of every file that was read."""
        return {part.path: part.outline for part in self._code.parts()}

    @property
    def sources(self) -> Mapping[str, bytes]:
        """The bytes of every file that was read."""
        return self._code.sources

    def settle(self, facts: tuple[Fact, ...], homes: Mapping[str, Home], spawned: Mapping[Place, Home]) -> None:
        """Take the facts in; `homes` says where each job's body is, `spawned` what the spawn at a place runs."""
        self.facts, self._bodies = facts, homes
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

    def job(self, symbol: str) -> Job | None:
        """A job by its symbol."""
        return self._by_symbol.get(symbol)

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


class _Understanding:
    """One run: the tables that grow until nothing new is found."""

    def __init__(self, files: Files, catalogue: Catalogue, config: Config, read: Reader, clock: Stopwatch) -> None:
        self.clock = clock
        self._read = clock.timed("declarations", self._take_in)
        self._recognise = clock.timed("recognise", self._take_up)
        self.code = Code(files, read, is_test if config.tests == "skip" else lambda _: False)
        self.catalogue, self.config = catalogue, config
        modules = Modules(files.paths, catalogue.packages())
        modules.call(sorted(catalogue.own_symbols()))
        self.resolver = Resolver(self.code, modules, catalogue.aliases, catalogue.returns, catalogue.callbacks)
        self.resolver.queries = catalogue.queries
        self.recogniser = Recogniser(self.resolver, catalogue)
        self.callers = Callers(self.code, self.resolver, lambda part: self._read([part.path]), catalogue.enqueues.keys())
        self.sift = Sift(self.code, catalogue, frozenset(config.secret_words))
        self.jobs: dict[str, JobSeen] = {}
        self.declared: list[JobSeen] = []
        self.seen: list[Sighting] = []
        self.entries: set[Home] = set()
        self.done: set[str] = set()
        self.ended: list[Unsure] = []  # where the following of files and wrappers stopped at its limit

    def run(self) -> Project:
        holding = cache(lambda word: frozenset(self.code.words.holding(word)))
        self.recogniser.handlers.names = lambda path, word: path in holding(word)
        self.recogniser.handlers.worth = frozenset(self.code.words.holding_any(self.catalogue.web_words()))
        with self.clock.stage("sift"):
            fresh = self.sift.first()
        names: set[str] = set()
        for _ in range(_ROUNDS):
            self._read(fresh)
            with self.clock.stage("sift"):
                fresh = self.sift.naming(exports(self.resolver, self.catalogue, [self.code.part(path) for path in fresh], names))
            if not fresh:
                break
        else:
            self.ended += unread(fresh, _ROUNDS)
        self._read(self.sift.naming_jobs(self.jobs.values()))
        self.linker = self._linker()
        ground = self._ground()
        self.senses = [sense(ground) for sense in SENSES]
        more = {path for sense in self.senses if isinstance(sense, Wanting) for path in sense.reads()}
        self._read(sorted(path for path in more if not self.code.is_read(path)))
        self._recognise()
        for _ in range(_ROUNDS):
            ends = self._ends()
            with self.clock.stage("find callers"):
                self.callers.explore(ends, self.entries)
            self._recognise()
            new = list(outer_enqueues(self.resolver, self.callers, self.seen))
            if not new:
                break
            self.seen.extend(new)
        else:
            self.ended += unwrapped([one for one in new if is_wrapped(self.resolver, self.callers, one)], _ROUNDS)
        self._descend()
        return self._linked()

    def _take_in(self, paths: list[str]) -> None:
        """Read files; what they declare to be a job or a handler is an entry."""
        parts = [self.code.part(path) for path in paths]
        for part in parts:
            self.recogniser.extend(part)
        for part in parts:
            for job in self.recogniser.jobs(part):
                self.declared.append(job)
                self.jobs.setdefault(job.symbol, job)
                if not job.symbol.startswith("?"):
                    self.entries.add(job.home)
        for part in parts:
            self._enter(self.recogniser.handlers.seen(part))
            self._enter(self.recogniser.handlers.late(part.path))

    def _enter(self, handlers: Iterable[HandlerSeen]) -> None:
        for handler in handlers:
            self.seen.append(handler)
            self.entries.add(handler.home)

    def _take_up(self) -> None:
        """Everything else, in the parts that were read since last time."""
        for part in self.code.parts():
            if part.path not in self.done:
                self.done.add(part.path)
                self._enter(self.recogniser.handlers.late(part.path))
                self.seen.extend(self.recogniser.others(part, self.jobs))
                self.seen.extend(floating(self.resolver, part, self.catalogue))
        self.keeping.enqueues.update((s.made.home.file, s.made.call.start) for s in self.seen if isinstance(s, EnqueueSeen))

    def _ends(self) -> list[Home]:
        """The places whose callers matter: where work is lost or handed over without a key, and wrappers around that."""
        spawns = [seen.made.home for seen in self.seen if isinstance(seen, SpawnSeen) and self.linker.is_lost(seen)]
        enqueues = [seen for seen in self.seen if isinstance(seen, EnqueueSeen)]
        open_ones = [
            seen.made.home for seen in enqueues if is_wrapped(self.resolver, self.callers, seen) or self.linker.lacks_key(seen, self.jobs)
        ]
        return spawns + open_ones + [home for sense in self.senses if isinstance(sense, Climbing) for home in sense.ends()]

    def _descend(self) -> None:
        """Where a framework has no key, only webhooks matter: look for them, and below them."""
        keyless = [
            seen for seen in self.seen if isinstance(seen, EnqueueSeen) and not seen.form.signature and not self.linker.key_of(seen).how
        ]
        if not keyless:
            return
        self._read([path for path in self.sift.webhooks() if not self.code.is_read(path)])
        names = {self.resolver.definition(self.callers.outermost(seen.made.home)).name for seen in keyless}
        for seen in [seen for seen in self.seen if isinstance(seen, HandlerSeen)]:
            if self.linker.handler(seen).webhook:
                self.callers.descend(seen.home, names)

    def _linked(self) -> Project:
        linker = self.linker
        for one in self.seen:
            if isinstance(one, EnqueueSeen) and one.job and "*" not in one.form.payload:
                linker.enqueued.setdefault(one.job, []).append(one.options)
        used = {job.model.framework for job in self.declared}
        self.seen[:] = [
            seen for seen in self.seen if not (isinstance(seen, EnqueueSeen) and seen.loose and seen.model.framework not in used)
        ]
        self.shapes.handlers = frozenset(seen.home for seen in self.seen if isinstance(seen, HandlerSeen))
        self.settings.apps = self._apps()
        self.declared = [job for job in self.declared if job.home not in self.recogniser.declared.factories]
        facts: list[Fact] = [linker.job(job) for job in self.declared]
        for seen in self.seen:
            fact = self._fact(linker, seen)
            if fact is not None:
                facts.append(fact)
        facts.extend(in_settings(self.catalogue, self.settings, self.resolver, linker))
        for sense in self.senses:
            with self.clock.stage(f"facts {type(sense).__name__.lower()}"):
                facts.extend(sense.facts())
        facts.sort(key=lambda fact: (fact.place, type(fact).__name__, fact.framework))
        project = Project(self.code, self.resolver, Reach(self.callers), self.guards, self.config)
        project.ended = (*self.ended, *self.callers.ended(), *unnamed(self.code, self.resolver))
        project.settle(_unique(facts), {job.symbol: job.home for job in self.declared if not job.symbol.startswith("?")}, self._spawned())
        return project

    def _spawned(self) -> dict[Place, Home]:
        """The function that each spawn runs, by the spawn's place."""
        found: dict[Place, Home] = {}
        for seen in self.seen:
            home = self.keeping.body(seen.runs) if isinstance(seen, SpawnSeen) else None
            if home is not None and isinstance(seen, SpawnSeen):
                found[Place(seen.made.home.file, seen.made.call.start, seen.made.call.end)] = home
        return found

    def _ground(self) -> Ground:
        handled = Handled(self.resolver, self.catalogue, self.keeping)
        return Ground(
            self.code, self.resolver, self.catalogue, self.config, self.callers, self.settings, self.shapes, self.keeping, self.guards,
            self.jobs, self.seen, handled, MainWork(self.resolver, handled), values=self.values,
        )  # fmt: skip

    def _linker(self) -> Linker:
        self.settings = Settings(self.code, self.resolver)
        rows = tuple(model.rows for model in self.catalogue.models if model.rows)
        self.shapes = Shapes(self.resolver, rows)
        self.keeping = Keeping(self.resolver)
        self.guards = Guards(self.resolver, self.catalogue)
        self.values = Values(self.resolver, Secrecies(self.catalogue, self.config))
        return Linker(self.resolver, self.callers, self.settings, self.shapes, self.keeping, self.values)

    def _apps(self) -> dict[str, tuple[Made, ...]]:
        """The calls that make applications, by framework."""
        found: dict[str, list[Made]] = {}
        words = {path.removesuffix("()").rpartition(".")[2] for path in self.catalogue.apps}
        for part in [part for part in self.code.parts() if not is_development(part.path)]:
            for word in words:
                for index, site in part.sites_by_name.get(word, ()):
                    value = self.resolver.resolve(part.path, index, site.call)
                    model = self.catalogue.apps.get(value.path) if value is not None else None
                    if model is not None:
                        found.setdefault(model.framework, []).append(Made(site.call, Home(part.path, index)))
        return {framework: tuple(made) for framework, made in found.items()}

    def _fact(self, linker: Linker, seen: Sighting) -> Fact | None:
        match seen:
            case EnqueueSeen():
                return linker.enqueue(seen, self.jobs)
            case HandlerSeen():
                return linker.handler(seen)
            case SpawnSeen():
                return linker.spawn(seen)
            case LogSeen():
                return linker.log(seen)
            case ScheduleSeen():
                return linker.schedule(seen)
            case _:
                return None


def _unique(facts: list[Fact]) -> tuple[Fact, ...]:
    """One fact a type, place and name: a handler may be seen where it stands and where it is registered."""
    found: dict[tuple[type, Place, str], Fact] = {}
    for fact in facts:
        found.setdefault((type(fact), fact.place, getattr(fact, "name", "")), fact)
    return tuple(found.values())


def understand(files: Files, catalogue: Catalogue, config: Config, read: Reader, clock: Stopwatch) -> Project:
    """Read a project and say what its worker code does."""
    with clock.stage("link"):
        return _Understanding(files, catalogue, config, read, clock).run()


__all__ = ["Entry", "Project", "understand"]
