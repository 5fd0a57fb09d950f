"""Reads what matters of a project, follows it to a fixpoint, and links sightings into facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from guardrails.config import Config
from guardrails.facts import Fact
from guardrails.files import is_test
from guardrails.finding import Unsure
from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.recognise import Recogniser
from guardrails.frameworks.sightings import EnqueueSeen, HandlerSeen, JobSeen, Sighting, SpawnSeen
from guardrails.names.code import Code, Files
from guardrails.names.modules import Modules
from guardrails.names.options import Made
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Outline
from guardrails.place import Place
from guardrails.project.calls import Callers, Reach
from guardrails.project.ended import unnamed, unread, unwrapped
from guardrails.project.exports import exports
from guardrails.project.ground import Ground
from guardrails.project.guards import Guards
from guardrails.project.handled import Handled
from guardrails.project.keeping import Keeping
from guardrails.project.link import Linker
from guardrails.project.logged import Values
from guardrails.project.main_work import MainWork
from guardrails.project.messages import Messages
from guardrails.project.promises import floating
from guardrails.project.schedules import in_settings
from guardrails.project.secrecy import Secrecies
from guardrails.project.senses import SENSES, Climbing, MakesSense, Wanting
from guardrails.project.settings import Settings
from guardrails.project.shapes import Shapes
from guardrails.project.sift import Sift
from guardrails.project.surveying import Surveying
from guardrails.project.units import is_development
from guardrails.project.whole import Project
from guardrails.project.wrappers import is_wrapped, outer_enqueues
from guardrails.stopwatch import Stopwatch

_ROUNDS = 16  # wrappers around wrappers that are followed
Reader = Callable[[str, bytes], Outline]


class Understanding:
    """One run: the tables that grow until nothing new is found."""

    def __init__(
        self, files: Files, catalogue: Catalogue, config: Config, read: Reader, clock: Stopwatch, senses: tuple[MakesSense, ...]
    ) -> None:
        self.clock, self.made = clock, senses
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
        """Reads, recognises and links until nothing new is found, or a limit is reached."""
        holding = cache(lambda word: frozenset(self.code.words.holding(word)))
        self.recogniser.handlers.names = lambda path, word: path in holding(word)
        self.recogniser.handlers.worth = frozenset(self.code.words.holding_any(self.catalogue.web_words()))
        self._follow_names()
        self.linker = self._linker()
        self.ground = self._ground()
        self.senses = [sense(self.ground) for sense in self.made]
        more = {path for sense in self.senses if isinstance(sense, Wanting) for path in sense.reads()}
        self._read(sorted(path for path in more if not self.code.is_read(path)))
        self._recognise()
        self._follow_wrappers()
        self._descend()
        return self._linked()

    def _follow_names(self) -> None:
        """The files with a word that matters, then those that name what they make, then those that name a job."""
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

    def _follow_wrappers(self) -> None:
        """The callers of what hands work over: each wrapper's callers hand it over, too."""
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
        self._hand_on()
        facts = _unique(sorted(self._facts(), key=lambda fact: (fact.place, type(fact).__name__, fact.framework)))
        project = Project(self.code, self.resolver, Reach(self.callers), self.guards, self.config)
        project.ended = (*self.ended, *self.callers.ended(), *unnamed(self.code, self.resolver))
        homes = {job.symbol: job.home for job in self.declared if not job.symbol.startswith("?")}
        project.settle(facts, homes, self._spawned(), Messages(self.ground).of)
        return project

    def _hand_on(self) -> None:
        """What the linker and the settings must know of all that was seen; what is no sighting after all is dropped."""
        for one in (seen for seen in self.seen if isinstance(seen, EnqueueSeen) and seen.job):
            self.linker.handed.setdefault(one.job, []).append(one)
            if "*" not in one.form.payload:
                self.linker.enqueued.setdefault(one.job, []).append(one.options)
        self.linker.alone = frozenset(symbol for symbol in self.linker.handed if self._is_alone(symbol))
        used = {job.model.framework for job in self.declared}
        self.seen[:] = [
            seen for seen in self.seen if not (isinstance(seen, EnqueueSeen) and seen.loose and seen.model.framework not in used)
        ]
        self.shapes.handlers = frozenset(seen.home for seen in self.seen if isinstance(seen, HandlerSeen))
        self.settings.apps = self._apps()
        self.declared = [job for job in self.declared if job.home not in self.recogniser.declared.factories]

    def _facts(self) -> Iterator[Fact]:
        for job in self.declared:
            yield self.linker.job(job)
        for seen in self.seen:
            fact = self.linker.fact(seen, self.jobs)
            if fact is not None:
                yield fact
        yield from in_settings(self.catalogue, self.settings, self.resolver, self.linker)
        for sense in self.senses:
            with self.clock.stage(f"facts {type(sense).__name__.lower()}"):
                found = list(sense.facts())
            yield from found

    def _is_alone(self, symbol: str) -> bool:
        """No other file names the job."""
        job = self.jobs.get(symbol)
        name = self.resolver.definition(job.home).name if job is not None else ""
        return job is not None and list(self.code.words.holding(name)) == [job.home.file]

    def _spawned(self) -> dict[Place, Home]:
        """The function that each spawn runs, by the spawn's place."""
        found: dict[Place, Home] = {}
        for seen in self.seen:
            home = self.keeping.body(seen.runs) if isinstance(seen, SpawnSeen) else None
            if home is not None and isinstance(seen, SpawnSeen):
                found[seen.made.place] = home
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


def _unique(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """One fact a type, place and name: a handler may be seen where it stands and where it is registered."""
    found: dict[tuple[type, Place, str], Fact] = {}
    for fact in facts:
        found.setdefault((type(fact), fact.place, getattr(fact, "name", "")), fact)
    return tuple(found.values())


def understand(files: Files, catalogue: Catalogue, config: Config, read: Reader, clock: Stopwatch, survey: bool = False) -> Project:
    """Read a project and say what its worker code does; for a survey, also what no check asks for."""
    with clock.stage("link"):
        return Understanding(files, catalogue, config, read, clock, (*SENSES, Surveying) if survey else SENSES).run()
