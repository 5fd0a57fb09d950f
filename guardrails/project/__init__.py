"""The whole project as one program: reads what matters, follows it to a fixpoint, and links sightings into facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

import msgspec

from guardrails.config import Config
from guardrails.facts import Enqueue, Fact, Guard, Handler, Job, Scope
from guardrails.files import is_test
from guardrails.finding import Related
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
from guardrails.project.calls import Callers, Reach
from guardrails.project.exports import exports
from guardrails.project.guards import Guards
from guardrails.project.keeping import Keeping
from guardrails.project.link import Linker
from guardrails.project.logged import Values
from guardrails.project.promises import floating
from guardrails.project.schedules import in_settings
from guardrails.project.settings import Settings
from guardrails.project.shapes import Shapes
from guardrails.project.sift import Sift
from guardrails.project.units import is_development
from guardrails.project.wrappers import is_wrapped, outer_enqueues

_ROUNDS = 4  # wrappers around wrappers that are followed
Reader = Callable[[str, bytes], Outline]


class Entry(msgspec.Struct, frozen=True):
    """A handler or a job that reaches a place, with the calls on the way from it."""

    fact: Handler | Job
    way: tuple[Related, ...]


class Project:
    """What checks may ask beyond the facts."""

    def __init__(self, code: Code, resolver: Resolver, reach: Reach, guards: Guards) -> None:
        self._code, self._resolver, self._reach, self._guards = code, resolver, reach, guards
        self._handlers: dict[Home, Handler] = {}
        self._jobs: dict[Home, Job] = {}
        self._by_symbol: dict[str, Job] = {}
        self._bodies: Mapping[str, Home] = {}
        self.facts: tuple[Fact, ...] = ()

    @property
    def outlines(self) -> Mapping[str, Outline]:
        """The outline of every file that was read."""
        return {part.path: part.outline for part in self._code.parts()}

    @property
    def sources(self) -> Mapping[str, bytes]:
        """The bytes of every file that was read."""
        return self._code.sources

    def settle(self, facts: tuple[Fact, ...], homes: Mapping[str, Home]) -> None:
        """Take the facts in; `homes` says where each job's body is."""
        self.facts, self._bodies = facts, homes
        for fact in facts:
            if isinstance(fact, Handler):
                self._handlers.setdefault(Home(fact.scope.path, fact.scope.function), fact)
            elif isinstance(fact, Job):
                self._by_symbol.setdefault(fact.symbol, fact)
                if fact.symbol in homes:
                    self._jobs.setdefault(homes[fact.symbol], fact)

    def job(self, symbol: str) -> Job | None:
        """A job by its symbol."""
        return self._by_symbol.get(symbol)

    def guard_in(self, job: Job) -> Guard | None:
        """What makes a second run of a job harmless: a guard at the opening of its body."""
        body = self._bodies.get(job.symbol)
        return self._guards.opening(body) if body is not None else None

    def guard_before(self, enqueue: Enqueue) -> Guard | None:
        """A guard that runs before an enqueue, or holds around it."""
        home = Home(enqueue.scope.path, enqueue.scope.function)
        function = self._resolver.definition(home)
        site = next(
            (site for site in function.sites if site.call.start == enqueue.place.start and site.call.end == enqueue.place.end), None
        )
        return self._guards.before(home, function.steps[site.step]) if site is not None else None

    def handlers_above(self, scope: Scope) -> list[Entry]:
        """The handlers in which, or below which, a scope stands; nearest first."""
        return self._above(scope, self._handlers)

    def jobs_above(self, scope: Scope) -> list[Entry]:
        """The jobs in which, or below which, a scope stands; nearest first."""
        return self._above(scope, self._jobs)

    def _above(self, scope: Scope, entries: Mapping[Home, Handler] | Mapping[Home, Job]) -> list[Entry]:
        found = self._reach.above(Home(scope.path, scope.function), lambda home: home in entries)
        return [Entry(entries[home], tuple(self._hop(step.home, step.start, step.end) for step in way)) for home, way in found]

    def _hop(self, home: Home, start: int, end: int) -> Related:
        return Related(Place(home.file, start, end), f"`{self._resolver.definition(home).qualname}` calls it here")


class _Understanding:
    """One run: the tables that grow until nothing new is found."""

    def __init__(self, files: Files, catalogue: Catalogue, config: Config, read: Reader) -> None:
        self.code = Code(files, read, is_test if config.tests == "skip" else lambda _: False)
        self.catalogue, self.config = catalogue, config
        modules = Modules(files.paths, catalogue.packages())
        self.resolver = Resolver(self.code, modules, catalogue.aliases, catalogue.returns, catalogue.callbacks)
        self.recogniser = Recogniser(self.resolver, catalogue)
        self.callers = Callers(self.code, self.resolver, lambda part: self._read([part.path]))
        self.sift = Sift(self.code, catalogue, frozenset(config.secret_words))
        self.jobs: dict[str, JobSeen] = {}
        self.declared: list[JobSeen] = []
        self.seen: list[Sighting] = []
        self.entries: set[Home] = set()
        self.done: set[str] = set()

    def run(self) -> Project:
        holding = cache(lambda word: frozenset(self.code.words.holding(word)))
        self.recogniser.handlers.names = lambda path, word: path in holding(word)
        self.recogniser.handlers.worth = frozenset(self.code.words.holding_any(self.catalogue.web_words()))
        fresh = self.sift.first()
        for _ in range(_ROUNDS):
            self._read(fresh)
            fresh = self.sift.naming(exports(self.resolver, self.catalogue, [self.code.part(path) for path in fresh]))
            if not fresh:
                break
        self._read(self.sift.naming_jobs(self.jobs.values()))
        self.linker = self._linker()
        self._recognise()
        for _ in range(_ROUNDS):
            self.callers.explore(self._ends(), self.entries)
            self._recognise()
            new = list(outer_enqueues(self.resolver, self.callers, self.seen))
            if not new:
                break
            self.seen.extend(new)
        self._descend()
        return self._linked()

    def _read(self, paths: list[str]) -> None:
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

    def _recognise(self) -> None:
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
        return spawns + open_ones

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
        self.seen = [seen for seen in self.seen if not (isinstance(seen, EnqueueSeen) and seen.loose and seen.model.framework not in used)]
        self.shapes.handlers = frozenset(seen.home for seen in self.seen if isinstance(seen, HandlerSeen))
        self.settings.apps = self._apps()
        self.declared = [job for job in self.declared if job.home not in self.recogniser.factories]
        facts: list[Fact] = [linker.job(job) for job in self.declared]
        for seen in self.seen:
            fact = self._fact(linker, seen)
            if fact is not None:
                facts.append(fact)
        facts.extend(in_settings(self.catalogue, self.settings, self.resolver, linker))
        facts.sort(key=lambda fact: (fact.place, type(fact).__name__, fact.framework))
        project = Project(self.code, self.resolver, Reach(self.callers), Guards(self.resolver, self.catalogue))
        project.settle(_unique(facts), {job.symbol: job.home for job in self.declared if not job.symbol.startswith("?")})
        return project

    def _linker(self) -> Linker:
        self.settings = Settings(self.code, self.resolver)
        rows = tuple(model.rows for model in self.catalogue.models if model.rows)
        self.shapes = Shapes(self.resolver, rows)
        self.keeping = Keeping(self.resolver)
        values = Values(self.resolver, frozenset(self.config.redact_helpers), frozenset(self.config.secret_words), self.catalogue.whole)
        return Linker(self.resolver, self.callers, self.settings, self.shapes, self.keeping, values)

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


def _unique(facts: list[Fact]) -> tuple[Fact, ...]:
    """One fact a type, place and name: a handler may be seen where it stands and where it is registered."""
    found: dict[tuple[type, Place, str], Fact] = {}
    for fact in facts:
        found.setdefault((type(fact), fact.place, getattr(fact, "name", "")), fact)
    return tuple(found.values())


def understand(files: Files, catalogue: Catalogue, config: Config, read: Reader) -> Project:
    """Read a project and say what its worker code does."""
    return _Understanding(files, catalogue, config, read).run()


__all__ = ["Entry", "Project", "understand"]
