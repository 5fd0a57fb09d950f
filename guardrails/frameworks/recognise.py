"""Outline and models in, sightings out: the only place where framework names meet code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.declared import Declared, origin_of
from guardrails.frameworks.forms.data import LogForm
from guardrails.frameworks.forms.work import ScheduleForm
from guardrails.frameworks.handlers import Handlers
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import CallSeen, EnqueueSeen, JobSeen, JobTable, LogSeen, MarkSeen, ScheduleSeen, Sighting, SpawnSeen
from guardrails.names.code import Part, last_word
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit, Made, Options, chain
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home, Value
from guardrails.outline import Attr, Call, Expr, Function, Literal_, Op, Ref, Site, dotted, enclosing, receiver
from guardrails.place import Place

_KNOWN_OTHER = re.compile(r"^<|^(?:multiprocessing|threading|concurrent|asyncio|gevent)\.")
_TRAILING_CALLS = re.compile(r"(\(\))+$")


class Recogniser:
    """Matches the models against parts of the project."""

    def __init__(self, resolver: Resolver, catalogue: Catalogue) -> None:
        self._resolver, self._catalogue = resolver, catalogue
        self.declared = Declared(resolver, catalogue)
        self.handlers = Handlers(resolver, catalogue)

    def extend(self, part: Part) -> None:
        """Tell the resolver of the attributes that a part gives to framework objects."""
        for word in {path.rpartition(".")[2] for path in self._catalogue.extensions}:
            for index, site in part.sites_by_name.get(word, ()):
                value = self._resolver.resolve(part.path, index, site.call.func)
                form = self._catalogue.extensions.get(value.path) if value is not None else None
                if form is not None and value is not None:
                    options = Options(self._resolver, [Made(site.call, Home(part.path, index))])
                    name, given = options.get(form.name), options.get(form.value)
                    found = self._resolver.resolve(given.home.file, given.home.function, given.expr) if isinstance(given, Hit) else None
                    if isinstance(name, Hit) and found is not None:
                        self._resolver.extend(value.path.rpartition(".")[0], as_text(name.expr) or "", found)

        self._tell_apps(part)

    def _tell_apps(self, part: Part) -> None:
        """An object of an unknown class on which only an application's methods are called is one: its members are those of the symbol."""
        for word, symbol in self._catalogue.tells.items():
            for index, site in part.sites_by_name.get(word, ()):
                base = receiver(site.call.func)
                value = self._resolver.resolve(part.path, index, base) if base is not None else None
                if value is None or value.home is not None or not value.path.endswith("()") or value.path == symbol:
                    continue
                for name in self._catalogue.members(symbol):
                    known = Value(self._resolver.spelled(f"{symbol}.{name}"), made=value.made, made_in=value.made_in)
                    self._resolver.extend(value.path, name, known)

    def jobs(self, part: Part) -> Iterator[JobSeen]:
        """The jobs that a part declares."""
        return self.declared.jobs(part)

    def others(self, part: Part, jobs: JobTable) -> Iterator[Sighting]:
        """Everything but jobs and handlers."""
        names = {symbol.rpartition(".")[2] for symbol in jobs}
        for index, function in enumerate(part.functions):
            aliases = self._method_aliases(function) if function.sites else frozenset()
            for word, site in part.words[index]:
                log = self._by_name(site, word) if word in self._catalogue.log_words else None
                if log is not None:
                    yield LogSeen(*log, Made(site.call, Home(part.path, index)), site)
                elif word in self._catalogue.call_words or word == "partial" or word in names or word == "" or word in aliases:
                    yield from self._site(part, index, site, jobs)
            for decorator in function.decorators:
                if dotted(decorator).removesuffix("()").rpartition(".")[2] in self._catalogue.decorator_words:
                    yield from self._decorates(part, index, function, decorator)

    def _partial(self, made: Made, site: Site, jobs: JobTable) -> Iterator[Sighting]:
        """`partial(queue.enqueue, f, ..)`: the enqueue that it will be."""
        call = site.call
        inner = Made(Call(call.start, call.end, call.args[0].value, call.args[1:]), made.home)
        value = self._resolver.resolve(made.home.file, made.home.function, inner.call.func)
        if value is not None and (value.path in self._catalogue.enqueues or self._catalogue.on_job):
            yield from self._enqueue(inner, site, value, jobs)

    def _method_aliases(self, function: Function) -> AbstractSet[str]:
        """Local names of methods that hand over work: `enqueue = queue.enqueue`, `partial(queue.enqueue_in, delay)`."""
        found: set[str] = set()
        for step in function.steps:
            value = (
                step.value.args[0].value
                if isinstance(step.value, Call) and step.value.args and dotted(step.value.func).endswith("partial")
                else step.value
            )
            if isinstance(value, Ref | Attr) and dotted(value).rpartition(".")[2] in self._catalogue.call_words:
                found.update(dotted(target) for target in step.targets)
        return found

    def _site(self, part: Part, index: int, site: Site, jobs: JobTable) -> Iterator[Sighting]:
        with self._resolver.shallow():
            value = self._resolver.resolve(part.path, index, site.call.func)
        made = Made(site.call, Home(part.path, index))
        if value is None:
            yield from self._loose(made, site, None)
            yield from self._loose_roles(made, site)
            return
        if value.path == "functools.partial" and site.call.args:
            yield from self._partial(made, site, jobs)
        elif value.path in self._catalogue.logs:
            yield LogSeen(*self._catalogue.logs[value.path], made, site)
        elif value.path in self._catalogue.spawns:
            yield from self._spawn(made, site, value)
        else:
            yield from self._enqueue(made, site, value, jobs)
        origin = origin_of(value, made)
        for role, model, form in self._catalogue.roles.get(value.path, ()):
            yield CallSeen(role, model, form, value.path, made, site, origin)
        yield from self._on_job_roles(made, site, value, jobs)
        schedule = self._catalogue.schedule_calls.get(value.path)
        if schedule is not None:
            yield self._schedule(schedule, made)

    def _on_job_roles(self, made: Made, site: Site, value: Value, jobs: JobTable) -> Iterator[CallSeen]:
        """A call on what handing a job over gave: `charge.delay(..).get()`."""
        symbol, method = _split_job(value.path, jobs)
        found = self._catalogue.roles_on_job.get((jobs[symbol].model.framework, method), ()) if symbol and method else ()
        for role, model, form in found:
            yield CallSeen(role, model, form, value.path, made, site, origin_of(value, made))
        if not found and value.home is None and value.path not in self._catalogue.roles:
            yield from self._loose_roles(made, site)

    def _loose_roles(self, made: Made, site: Site) -> Iterator[CallSeen]:
        """A call whose method's name is unmistakable, on a receiver that cannot be told."""
        for role, model, form in self._catalogue.loose_roles.get(last_word(site), ()):
            named = {arg.name for arg in site.call.args}.issuperset(getattr(form, "requires", ()))
            if named and model.languages[0] == self._resolver.part(made.home).language:
                yield CallSeen(role, model, form, "", made, site)

    def _by_name(self, site: Site, word: str) -> tuple[Model, LogForm] | None:
        """A log call by its receiver's name: loggers come from everywhere, and no file need be read to know one."""
        receiver = dotted(site.call.func).rpartition(".")[0].rpartition(".")[2]
        return self._catalogue.log_names.get((receiver, word))

    def _spawn(self, made: Made, site: Site, value: Value) -> Iterator[SpawnSeen]:
        model, form = self._catalogue.spawns[value.path]
        origin = origin_of(value)
        options = Options(self._resolver, [made, *([origin] if origin is not None and origin.call is not made.call else [])])
        runs = options.get(form.runs)
        yield SpawnSeen(model, form, made, site, runs if isinstance(runs, Hit) else None, origin)

    def _enqueue(self, made: Made, site: Site, value: Value, jobs: JobTable) -> Iterator[EnqueueSeen | ScheduleSeen]:
        found = self._catalogue.enqueues.get(value.path)
        if found is not None:
            model, form = found
            made = _filled(made, value)
            options = Options(self._resolver, [*chain(made), *self._around(made, site)])
            answer = options.get(form.job) if form.job else None
            target, job = self._target(answer, made) if isinstance(answer, Hit) else (self._receiver(made) or dotted(made.call.func), "")
            yield EnqueueSeen(model, form, made, site, options, target, job or self._receiving_job(made, jobs), origin_of(value))
            return
        symbol, method = _split_job(value.path, jobs)
        if symbol and not (not method and value.instance):
            seen = jobs[symbol]
            schedule = self._catalogue.schedules_on_job.get((seen.model.framework, method))
            if schedule is not None:
                yield ScheduleSeen(seen.model, schedule, made, seen.name, self._words(Options(self._resolver, [made]).get(schedule.when)))
                return
            form_on_job = self._catalogue.on_job.get((seen.model.framework, method or "()"))
            if form_on_job is not None and not self._is_own_body(made.home, seen):
                yield EnqueueSeen(seen.model, form_on_job, made, site, Options(self._resolver, chain(made)), seen.name, symbol)
            return
        yield from self._loose(made, site, value)

    def _around(self, made: Made, site: Site) -> list[Made]:
        """The context managers around a hand-over that carry options of it: `with SetWorkflowID(order.id):`."""
        function, found = self._resolver.definition(made.home), []
        for block in enclosing(function, function.steps[site.step].block) if self._catalogue.contexts else ():
            call = function.steps[block.opened_by].value if block.kind == "with" and block.opened_by >= 0 else None
            value = self._resolver.resolve(made.home.file, made.home.function, call.func) if isinstance(call, Call) else None
            if isinstance(call, Call) and value is not None and value.path in self._catalogue.contexts:
                found.append(Made(call, made.home))
        return found

    @staticmethod
    def _is_own_body(home: Home, seen: JobSeen) -> bool:
        return home == seen.home and seen.form.call != ""

    def _loose(self, made: Made, site: Site, value: Value | None) -> Iterator[EnqueueSeen]:
        found = self._catalogue.loose.get(last_word(site))
        if found is None or (value is not None and value.home is not None):
            return
        receiver = self._receiver(made)
        known = self._receiving(made)
        if known is not None and (known.home is not None or _KNOWN_OTHER.search(known.path)):
            return
        if receiver and found[0].languages[0] == self._resolver.part(made.home).language:
            yield EnqueueSeen(*found, made, site, Options(self._resolver, chain(made)), receiver, loose=True)

    @staticmethod
    def _receiver(made: Made) -> str:
        base = receiver(made.call.func)
        if isinstance(base, Op):  # `(a.s() | b.s()).delay()`
            return " | ".join(dotted(part) for part in base.parts)
        return dotted(made.call.func).rpartition(".")[0].removesuffix(".apply_async")

    def _receiving_job(self, made: Made, jobs: JobTable) -> str:
        """The job whose instance receives the call: `ChargeTask().delay(..)`."""
        value = self._receiving(made)
        symbol = self._resolver.symbol(value.home) if value is not None and value.home is not None else ""
        return symbol if symbol in jobs else ""

    def _receiving(self, made: Made) -> Value | None:
        """What the call's receiver means."""
        base = receiver(made.call.func)
        return self._resolver.resolve(made.home.file, made.home.function, base) if base is not None else None

    def _target(self, hit: Hit, made: Made) -> tuple[str, str]:
        home = self.declared.function(hit)
        text = as_text(hit.expr) or dotted(hit.expr)
        if home is not None:
            return self._resolver.definition(home).name, self._resolver.symbol(home)
        return text or self._receiver(made), ""

    def _decorates(self, part: Part, index: int, function: Function, decorator: Expr) -> Iterator[Sighting]:
        """A decorator that schedules what it decorates, or that a model names in a role."""
        outer = Home(part.path, max(function.parent, 0))
        value = self._resolver.resolve(outer.file, outer.function, decorator)
        path = _TRAILING_CALLS.sub("", value.path) if value is not None else ""
        made = Made(decorator, outer) if isinstance(decorator, Call) else None
        found = self._catalogue.schedule_decorators.get(path)
        if found is not None and made is not None:
            options, needs = Options(self._resolver, [made]), found[1].needs
            if not needs or options.get(needs) is not None:
                when = self._words(options.get(found[1].when))
                yield ScheduleSeen(*found, Made(made.call, Home(part.path, index)), function.name, when)
        at = Place(part.path, decorator.start, decorator.end)
        for role, model, form in self._catalogue.marks.get(path, ()):
            yield MarkSeen(role, model, form, path, Home(part.path, index), at, made)

    def _schedule(self, found: tuple[Model, ScheduleForm], made: Made) -> ScheduleSeen:
        model, form = found
        options = Options(self._resolver, [made])
        job = options.get(form.job)
        target = self._target(job, made)[0] if isinstance(job, Hit) else ""
        return ScheduleSeen(model, form, made, target, self._words(options.get(form.when)))

    def _words(self, answer: object) -> str:
        if not isinstance(answer, Hit):
            return ""
        start, end = answer.expr.start, answer.expr.end
        return self._resolver.text(answer.home.file, start, end) if not isinstance(answer.expr, Literal_) else str(answer.expr.value)


def _split_job(path: str, jobs: JobTable) -> tuple[str, str]:
    """The job symbol that a path begins with and the method chain after it."""
    if path in jobs:
        return path, ""
    cut = len(path)
    while (cut := path.rfind(".", 0, cut)) > 0:
        if path[:cut] in jobs:
            return path[:cut], path[cut + 1 :]
    return "", ""


def _filled(made: Made, value: Value) -> Made:
    """The call of a partial with the arguments that the partial holds in front: `partial(queue.enqueue_in, delay)(job)`."""
    call, held = made.call, value.made
    if not isinstance(held, Call) or held is call or not isinstance(call.func, Ref) or value.made_in != made.home:
        return made
    if not dotted(held.func).endswith("partial"):
        return made
    return Made(Call(call.start, call.end, call.func, (*held.args[1:], *call.args)), made.home)
