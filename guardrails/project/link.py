"""Sightings into facts: settings, keys, payloads, guards and reach filled in from the whole project."""

from __future__ import annotations

import re

import msgspec

from guardrails.facts import (
    NEVER,
    Absent,
    Enqueue,
    Fact,
    Handler,
    Job,
    KeySupport,
    Known,
    Log,
    Payload,
    Schedule,
    Scope,
    Setting,
    Spawn,
    Unknown,
)
from guardrails.finding import Repair
from guardrails.frameworks.forms.work import Key
from guardrails.frameworks.sightings import EnqueueSeen, HandlerSeen, JobSeen, JobTable, LogSeen, ScheduleSeen, Sighting, SpawnSeen
from guardrails.names.evaluate import as_text
from guardrails.names.options import Answer, Hit, Options
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Attr, Group, Literal_, Pair, Ref, dotted, enclosing, walk
from guardrails.place import Place
from guardrails.project import key_functions, unpacking
from guardrails.project.calls import Callers
from guardrails.project.keeping import Keeping
from guardrails.project.logged import Values
from guardrails.project.main_work import is_trivial
from guardrails.project.managing import manages
from guardrails.project.repairs import Repairs
from guardrails.project.settings import Limit, Settings
from guardrails.project.shapes import Shapes

_WEBHOOK = re.compile(r"(?i)(?:^|[_/.\-]|(?<=[a-z]))(?:web_?hooks?|ipn|callback|events?_api)(?:$|[_/.\-]|(?=[A-Z]))")
_KEY_WORD = re.compile(r"(?i)dedup|idempot|unique_?key")


class Linker:
    """Builds facts from sightings."""

    def __init__(self, resolver: Resolver, callers: Callers, settings: Settings, shapes: Shapes, keeping: Keeping, values: Values) -> None:
        self._resolver, self._callers, self._settings, self._shapes = resolver, callers, settings, shapes
        self._keeping, self._values = keeping, values
        self._repairs = Repairs(resolver)
        self.handed: dict[str, list[EnqueueSeen]] = {}  # the enqueues of each job
        self.alone: frozenset[str] = frozenset()  # the jobs that only their own file names
        self.enqueued: dict[str, list[Options]] = {}  # the options of the enqueues of each job

    def scope(self, home: Home) -> Scope:
        """The scope of a definition."""
        return Scope(home.file, home.function, self._resolver.definition(home).qualname)

    def _language(self, home: Home) -> str:
        return self._resolver.part(home).language

    def job(self, seen: JobSeen) -> Job:
        """A job with its effective limit."""
        limit = self._settings.limit(seen)
        spec = seen.model.timeout
        if (
            spec is not None
            and isinstance(limit.setting, Absent)
            and limit.setting.default == NEVER
            and any(answers := [options.first(spec.enqueue) for options in self.enqueued.get(seen.symbol, ())])
        ):
            given = all(isinstance(answer, Hit) for answer in answers)
            limit = Limit(Unknown("some of its enqueues may give it one", present="yes" if given else "maybe"))
        elif spec is not None and spec.at_start and isinstance(limit.setting, Absent) and not self.enqueued.get(seen.symbol):
            limit = Limit(Unknown("whoever starts it limits it, and nobody here does"))
        definition = self._resolver.definition(seen.owner or seen.home)
        repair = self._repairs.limit(seen, limit.setting)
        if seen.at is not None:
            seen = msgspec.structs.replace(seen, at=Place(seen.at.path, seen.at.start, definition.name_end))
        place = seen.at or Place(seen.home.file, definition.name_start, definition.name_end)
        if seen.form.call and seen.options.calls:
            made = seen.options.calls[0]
            place = made.place
        home = seen.options.calls[0].home if seen.form.call and seen.options.calls else seen.home
        return Job(
            place=place,
            scope=self.scope(home),
            framework=seen.model.framework,
            language=self._language(seen.home),
            title=seen.model.title,
            name=seen.name,
            symbol=seen.symbol,
            timeout=limit.setting,
            limit_is_own=limit.own,
            is_hosted=self._settings.is_hosted(seen),
            is_trivial=is_trivial(self._resolver.definition(seen.home)),
            is_once=bool(seen.form.once) and seen.options.get(seen.form.once) is None,
            limit_fix=seen.model.timeout.fix if seen.model.timeout else "",
            limit_related=limit.related,
            cause=limit.cause,
            repeats=self._settings.repeats(seen),
            repair=repair,
        )

    def fact(self, seen: Sighting, jobs: JobTable) -> Fact | None:
        """The fact that a sighting is; None for one that a sense takes up."""
        match seen:
            case EnqueueSeen():
                return self.enqueue(seen, jobs)
            case HandlerSeen():
                return self.handler(seen)
            case SpawnSeen():
                return self.spawn(seen)
            case LogSeen():
                return self.log(seen)
            case ScheduleSeen():
                return self.schedule(seen)
            case _:
                return None

    def enqueue(self, seen: EnqueueSeen, jobs: JobTable) -> Enqueue:
        """A hand-over with its key and payload."""
        key = self.key_of(seen)
        setting = self._key(seen, key, jobs)
        home = seen.made.home
        given = unpacking.payload(self._resolver, seen) if not seen.form.receives else []  # of an event: no row of ours
        payload = (*self._shapes.bound(seen), *(self._shapes.payload(hit) for _, hit in given))
        return Enqueue(
            place=seen.made.place,
            scope=self.scope(home),
            framework=seen.model.framework,
            language=self._language(home),
            title=seen.model.title,
            call=dotted(seen.made.call.func).rpartition(".")[2],
            target=seen.target,
            job=seen.job,
            key=setting,
            support=KeySupport(key.how, key.window, key.instead),
            payload=payload,
            misplaced_key=self._misplaced(seen, key) if isinstance(setting, Absent) else "",
            dropped_key=self._dropped(home, seen) if isinstance(setting, Absent) and key.how else "",
            same_key=self._same_key(seen, jobs),
            carries_only=seen.form.signature,
            to_listeners=self._is_to_listeners(seen),
            receives=self._route(seen) if seen.form.receives else "",
            key_repair=self._repairs.key(seen, key, setting, payload),
            row_repair=self._row_repair(seen, jobs, payload),
        )

    def _same_key(self, seen: EnqueueSeen, jobs: JobTable) -> str:
        """The key of all hand-overs of a job whose key function looks at nothing."""
        job = jobs.get(seen.job) if not seen.form.signature and seen.form.key is None else None
        home = key_functions.function_of(self._resolver, job) if job is not None else None
        return key_functions.constant(self._resolver, home) if home is not None else ""

    @staticmethod
    def _route(seen: EnqueueSeen) -> str:
        answer = seen.options.get("0")
        return (as_text(answer.expr) if isinstance(answer, Hit) else None) or seen.target

    def _row_repair(self, seen: EnqueueSeen, jobs: JobTable, payload: tuple[Payload, ...]) -> Repair | None:
        """The row's key in place of the row, where no other file hands the job over."""
        job = jobs.get(seen.job) if seen.job in self.alone and not seen.form.unpacks else None
        return self._repairs.row(seen, job, payload, self.handed.get(seen.job, ()))

    def _is_to_listeners(self, seen: EnqueueSeen) -> bool:
        """The job is what a loop goes through: `for listener in listeners: queue.enqueue(listener.handle, event)`."""
        answer = seen.options.get(seen.form.job) if seen.form.job else None
        if not isinstance(answer, Hit) or not isinstance(answer.expr, Ref | Attr):
            return False
        definition = self._resolver.definition(seen.made.home)
        openers = [definition.steps[b.opened_by] for b in enclosing(definition, definition.steps[seen.site.step].block) if b.opened_by >= 0]
        looped = {dotted(expr) for step in openers if step.kind == "iterate" for target in step.targets for expr in walk(target)}
        return dotted(answer.expr).partition(".")[0] in looped

    @staticmethod
    def declared_key(seen: EnqueueSeen) -> Key:
        """How this enqueue carries a key, in the newest version of its framework."""
        return seen.form.key or seen.model.key or Key()

    def key_of(self, seen: EnqueueSeen) -> Key:
        """How this enqueue carries a key, in the version that the project allows."""
        key = self.declared_key(seen)
        return Key(instead=key.instead) if self._settings.pins.lack(key.since) else key

    def lacks_key(self, seen: EnqueueSeen, jobs: JobTable) -> bool:
        """It could carry a key, and surely carries none."""
        key = self.key_of(seen)
        return bool(key.how) and not seen.form.signature and isinstance(self._key(seen, key, jobs), Absent)

    def is_lost(self, seen: SpawnSeen) -> bool:
        """Nobody waits for the spawn, and losing it matters."""
        return (seen.form.request_bound or not self._keeping.kept(seen)) and not self._keeping.light(seen.runs)

    def _key(self, seen: EnqueueSeen, key: Key, jobs: JobTable) -> Setting:
        if not key.arguments and not key.declared:
            return Absent(None)
        inside = self._inside_job(seen, jobs) if key.derived else None
        if inside is not None:
            return Known("derived from the job around it", inside)
        answer = seen.options.first(key.arguments)
        setting = self._present(answer)
        if isinstance(setting, Known):
            for name, value in key.requires.items():
                with_it = seen.options.get(name)
                if with_it is None or (isinstance(with_it, Hit) and isinstance(with_it.expr, Literal_) and with_it.expr.value != value):
                    return Absent(None, looked_in=(f"{name}={value}",))
        if not isinstance(setting, Known) and seen.job in jobs and key.declared and jobs[seen.job].options.calls:
            declared = self._present(jobs[seen.job].options.first(key.declared))
            setting = declared if isinstance(declared, Known) else setting
        return setting

    def _inside_job(self, seen: EnqueueSeen, jobs: JobTable) -> Place | None:
        """Where a hand-over stands in the body of a job of the same framework."""
        home = self._callers.outermost(seen.made.home)
        job = jobs.get(self._resolver.symbol(home))
        return seen.made.place if job is not None and job.model.framework == seen.model.framework else None

    def _present(self, answer: Answer) -> Setting:
        if isinstance(answer, Hit):
            if isinstance(answer.expr, Literal_) and answer.expr.value is None:
                return Absent(None)
            text = self._resolver.text(answer.home.file, answer.expr.start, answer.expr.end)
            return Known(text, answer.place)
        return Unknown("its options arrive by an argument that was not resolved") if answer == "maybe" else Absent(None)

    @staticmethod
    def _misplaced(seen: EnqueueSeen, key: Key) -> str:
        """A key that was put into the data, where the queue does not look."""
        names = {argument.rpartition(".")[2] for argument in key.arguments}
        for arg in seen.made.call.args:
            for item in arg.value.items if isinstance(arg.value, Group) and arg.value.kind == "dict" else ():
                name = str(item.key.value) if isinstance(item, Pair) and isinstance(item.key, Literal_) else ""
                if key.how and (name in names or _KEY_WORD.search(name)):
                    return name
        return ""

    def _dropped(self, home: Home, seen: EnqueueSeen) -> str:
        """A key that the wrapper around the enqueue, or that wrapper's caller, was given and does not pass on."""
        own = self._unused_key(home, seen.made.call.start, seen.made.call.end)
        if own:
            return own
        for edge in self._callers.of(home):
            site = self._callers.site_of(edge)
            dropped = self._unused_key(edge.caller, site.call.start, site.call.end) if site is not None else ""
            if dropped:
                return dropped
        return ""

    def _unused_key(self, home: Home, start: int, end: int) -> str:
        """A key among a function's parameters, or taken from one, that a call in it does not pass on."""
        definition = self._resolver.definition(home)
        params = {name for param in definition.params for name in param.name.split(",")}
        used = [e.name for site in definition.sites for arg in site.call.args for e in walk(arg.value) if isinstance(e, Ref)]
        taken = [name.rpartition(".")[2] for name in used if name.partition(".")[0] in params]
        text = self._resolver.text(home.file, start, end)
        keys = [name for name in (*sorted(params), *taken) if _KEY_WORD.search(name)]
        return next((name for name in keys if not re.search(rf"\b{re.escape(name)}\b", text)), "")

    def handler(self, seen: HandlerSeen) -> Handler:
        """A handler, and whether it is a webhook."""
        definition = self._resolver.definition(seen.home)
        unsafe = any(verb in ("POST", "PUT", "PATCH", "DELETE") for verb in seen.methods) if seen.methods else None
        return Handler(
            place=Place(seen.home.file, definition.name_start, definition.name_end),
            scope=self.scope(seen.home),
            framework=seen.model.framework,
            language=self._language(seen.home),
            title=seen.model.title,
            name=_handler_name(definition.qualname, seen),
            route=seen.route,
            methods=seen.methods,
            unsafe=unsafe,
            webhook=self._webhook(seen, definition.qualname),
            streams=seen.methods == ("WEBSOCKET",) or self._keeping.streams(definition),
        )

    @staticmethod
    def _webhook(seen: HandlerSeen, name: str) -> str:
        """Why the handler receives an external system's events: its route's, its own or its file's name says so."""
        if (seen.methods and not set(seen.methods) & {"POST", "PUT"}) or manages(name):
            return ""
        for what, text in (("its route", seen.route), ("its name", name), ("its file", seen.home.file.rpartition(".")[0])):
            if _WEBHOOK.search(text) and not re.search(r"(?i)auth|login|sso|saml|oidc", text):
                return f"{what} says that it receives events"
        return ""

    def spawn(self, seen: SpawnSeen) -> Spawn:
        """A spawn, and who keeps or waits for it."""
        home = seen.made.home
        kept = self._keeping.kept(seen) if not seen.form.request_bound else ""
        return Spawn(
            place=seen.made.place,
            scope=self.scope(home),
            framework=seen.model.framework,
            language=self._language(home),
            title=seen.model.title,
            kind=seen.form.kind,
            call=_shown(seen),
            runs=self._keeping.runs(seen.runs),
            kept=kept,
            light=self._keeping.light(seen.runs),
            request_bound=seen.form.request_bound,
            lasting=self._keeping.lasts(seen.runs),
            watched=seen.form.watched or self._keeping.watched(seen),
            careful=self._keeping.careful(seen.runs),
            supervised=self._keeping.supervised(seen.runs),
            streamed=self._keeping.streams(self._resolver.definition(home)),
        )

    def log(self, seen: LogSeen) -> Log | None:
        """The log call, None where nothing that it writes is a secret."""
        values = self._values.of(seen)
        home = seen.made.home
        return (
            Log(
                place=seen.made.place,
                scope=self.scope(home),
                framework=seen.model.framework,
                language=self._language(home),
                title=seen.model.title,
                call=dotted(seen.made.call.func),
                values=values,
                prints=seen.form.prints,
                on_terminal=self._values.on_terminal(seen, values),
            )
            if values
            else None
        )

    def schedule(self, seen: ScheduleSeen) -> Schedule:
        """A schedule."""
        home = seen.made.home
        return Schedule(
            place=seen.made.place,
            scope=self.scope(home),
            framework=seen.model.framework,
            language=self._language(home),
            title=seen.model.title,
            job=seen.job,
            when=seen.when,
        )


def _shown(seen: SpawnSeen) -> str:
    text = dotted(seen.made.call.func)
    return text if len(text) <= 60 else text[-60:]


def _handler_name(qualname: str, seen: HandlerSeen) -> str:
    if qualname.rpartition(".")[2].startswith("<"):
        return f"{'/'.join(seen.methods)} {seen.route}".strip() or "the handler"
    return qualname
