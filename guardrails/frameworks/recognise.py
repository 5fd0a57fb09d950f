"""Outline and models in, sightings out: the only place where framework names meet code."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.handlers import Handlers
from guardrails.frameworks.model import JobForm, LogForm, Model, ScheduleForm
from guardrails.frameworks.sightings import EnqueueSeen, JobSeen, JobTable, LogSeen, ScheduleSeen, Sighting, SpawnSeen
from guardrails.names.code import Part, last_word
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit, Made, Options, chain
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home, Value
from guardrails.outline import Attr, Call, Closure, Expr, Function, Group, Literal_, Ref, Site, dotted, receiver
from guardrails.place import Place

_KNOWN_OTHER = re.compile(r"^<|^(?:multiprocessing|threading|concurrent|asyncio|gevent)\.")
_FACTORIES = 3  # functions that give a function that gives a decorator
_TRAILING_CALLS = re.compile(r"(\(\))+$")


class Recogniser:
    """Matches the models against parts of the project."""

    def __init__(self, resolver: Resolver, catalogue: Catalogue) -> None:
        self._resolver, self._catalogue = resolver, catalogue
        self.factories: set[Home] = set()  # functions in decorators of the project: what these decorate is the job, not they
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

    def jobs(self, part: Part) -> Iterator[JobSeen]:
        """The jobs that a part declares."""
        for index, function in enumerate(part.functions):
            if function.kind == "class":
                yield from self._class_jobs(part, index, function)
            elif function.decorators:
                yield from self._decorated(part, index, function)
            for site in function.sites:
                if last_word(site) in self._catalogue.job_words:
                    yield from self._called_jobs(part, index, site)

    def _decorated(self, part: Part, index: int, function: Function) -> Iterator[JobSeen]:
        home = Home(part.path, index)
        for decorator in function.decorators:
            value = self._decorating(part, function, decorator)
            if value is None:
                continue
            path = _TRAILING_CALLS.sub("", value.path)
            found = self._catalogue.job_decorators.get(path)
            if found is not None:
                seen = self._job(
                    found, home, self._decorator_options(part, function, decorator, value), self._app(part, function, decorator)
                )
                yield msgspec.structs.replace(seen, at=Place(part.path, decorator.start, decorator.end))
                return

    def _decorating(self, part: Part, function: Function, decorator: Expr) -> Value | None:
        if dotted(decorator).removesuffix("()").rpartition(".")[2] in self._catalogue.decorator_words:
            return self._made_by(part, function, decorator)
        with self._resolver.shallow():
            return self._made_by(part, function, decorator)

    def _made_by(self, part: Part, function: Function, decorator: Expr) -> Value | None:
        """What a decorator is: through functions and classes of the project that give or are one."""
        value = self._resolver.resolve(part.path, max(function.parent, 0), decorator)
        for _ in range(_FACTORIES):
            if value is None or value.home is None:
                return value
            definition = self._resolver.definition(value.home)
            if definition.kind == "class":
                base = next((base for base in self._resolver.bases(value.home) if isinstance(base, str)), None)
                return msgspec.structs.replace(value, path=base, home=None) if base is not None else value
            inner = self._decorated_inside(value.home)
            if inner is not None:
                return inner
            value = self._resolver.returned(value.home)
        return value

    def _decorated_inside(self, home: Home) -> Value | None:
        """The job decorator on a function, or on one that is defined inside it."""
        part = self._resolver.part(home)
        for index in (home.function, *part.members.get(home.function, ())):
            for decorator in part.functions[index].decorators:
                value = self._resolver.resolve(home.file, max(part.functions[index].parent, 0), decorator)
                if value is not None and _TRAILING_CALLS.sub("", value.path) in self._catalogue.job_decorators:
                    self.factories.add(Home(home.file, index))
                    return value
        return None

    def _app(self, part: Part, function: Function, decorator: Expr) -> Made | None:
        """The application whose decorator it is: `app` of `@app.task(bind=True)`."""
        expr = decorator.func if isinstance(decorator, Call) else decorator
        value = self._resolver.resolve(part.path, max(function.parent, 0), expr)
        return Made(value.made, value.made_in) if value is not None and isinstance(value.made, Call) and value.made_in is not None else None

    def _decorator_options(self, part: Part, function: Function, decorator: Expr, value: Value) -> list[Made]:
        outer = max(function.parent, 0)
        calls = [Made(decorator, Home(part.path, outer))] if isinstance(decorator, Call) else []
        func = self._resolver.resolve(part.path, outer, decorator.func) if isinstance(decorator, Call) else None
        if func is not None and isinstance(func.made, Call) and func.made_in is not None and dotted(func.made.func).endswith("partial"):
            calls.append(Made(func.made, func.made_in))
        if isinstance(value.made, Call) and value.made is not decorator and value.made_in is not None:
            calls.append(Made(value.made, value.made_in))
        return calls

    def _job(self, found: tuple[Model, JobForm], home: Home, calls: list[Made], app: Made | None, owner: Home | None = None) -> JobSeen:
        model, form = found
        options = Options(self._resolver, calls)
        symbol = self._resolver.symbol(owner or home)
        answer = options.get(form.name) if form.name else None
        name = as_text(answer.expr) if isinstance(answer, Hit) else None
        return JobSeen(model, form, home, options, symbol, name or self._resolver.definition(owner or home).name, app, owner)

    def _class_jobs(self, part: Part, index: int, function: Function) -> Iterator[JobSeen]:
        home = Home(part.path, index)
        if function.bases and any(part.member(index, method) >= 0 for method in self._catalogue.job_methods):
            for base in self._resolver.bases(home):
                found = self._catalogue.job_bases.get(base) if isinstance(base, str) else None
                method = part.member(index, found[1].method) if found else -1
                if found is not None and method >= 0:
                    yield self._job(found, Home(part.path, method), [], None, home)
                    return
        for model, form in self._catalogue.job_lists:
            yield from self._listed(part, index, model, form)

    def _listed(self, part: Part, index: int, model: Model, form: JobForm) -> Iterator[JobSeen]:
        bindings = part.bindings(index)
        named = form.named and part.functions[index].name == form.named
        if form.listed not in bindings or not (named or any(name in bindings for name in form.beside)):
            return
        for step in part.functions[index].steps:
            if any(getattr(target, "name", "") == form.listed for target in step.targets):
                for item in step.value.items if isinstance(step.value, Group) else ():
                    yield from self._listed_item(part, index, (model, form), item)

    def _listed_item(self, part: Part, index: int, found: tuple[Model, JobForm], item: Expr) -> Iterator[JobSeen]:
        calls = [Made(item, Home(part.path, index))] if isinstance(item, Call) else []
        function = Options(self._resolver, calls).first(("0", "coroutine")) if calls else Hit(item, Home(part.path, index))
        home = self._function(function) if isinstance(function, Hit) else None
        if home is not None:
            yield msgspec.structs.replace(self._job(found, home, calls, None), listed_in=Home(part.path, index))

    def _function(self, hit: Hit) -> Home | None:
        """The project function that an expression or a dotted string means."""
        text = as_text(hit.expr)
        if text is not None:
            value = self._resolver.imported(hit.home.file, text.replace(":", ".")) if "." in text else None
        else:
            value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        if value is None or value.home is None or value.home.function == 0 or value.instance:
            return None
        return value.home

    def _called_jobs(self, part: Part, index: int, site: Site) -> Iterator[JobSeen]:
        value = self._resolver.resolve(part.path, index, site.call.func)
        found = self._catalogue.job_calls.get(value.path) if value else None
        if found is None or value is None:
            return
        made = Made(site.call, Home(part.path, index))
        answer = Options(self._resolver, [made]).get(found[1].function)
        if isinstance(answer, Hit):
            home = self._function(answer) or Home(part.path, index)
            app = Made(value.made, value.made_in) if isinstance(value.made, Call) and value.made_in is not None else None
            seen = self._job(found, home, chain(made), app)
            yield seen if home.function != index or isinstance(answer.expr, Closure) else _unresolved(seen, answer)

    def others(self, part: Part, jobs: JobTable) -> Iterator[Sighting]:
        """Everything but jobs and handlers."""
        names = {symbol.rpartition(".")[2] for symbol in jobs}
        for index, function in enumerate(part.functions):
            aliases = self._method_aliases(function)
            for site in function.sites:
                word = last_word(site)
                log = self._by_name(site, word)
                if log is not None:
                    yield LogSeen(*log, Made(site.call, Home(part.path, index)), site)
                elif word in self._catalogue.call_words or word == "partial" or word in names or word == "" or word in aliases:
                    yield from self._site(part, index, site, jobs)
            for decorator in function.decorators:
                yield from self._scheduled(part, index, function, decorator)

    def _partial(self, made: Made, site: Site, jobs: JobTable) -> Iterator[Sighting]:
        """`partial(queue.enqueue, f, ..)`: the enqueue that it will be."""
        call = site.call
        inner = Made(Call(call.start, call.end, call.args[0].value, call.args[1:]), made.home)
        value = self._resolver.resolve(made.home.file, made.home.function, inner.call.func)
        if value is not None and (value.path in self._catalogue.enqueues or self._catalogue.on_job):
            yield from self._enqueue(inner, site, value, jobs)

    def _method_aliases(self, function: Function) -> set[str]:
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
            return
        if value.path == "functools.partial" and site.call.args:
            yield from self._partial(made, site, jobs)
        elif value.path in self._catalogue.logs:
            yield LogSeen(*self._catalogue.logs[value.path], made, site)
        elif value.path in self._catalogue.spawns:
            yield from self._spawn(made, site, value)
        else:
            yield from self._enqueue(made, site, value, jobs)
        schedule = self._catalogue.schedule_calls.get(value.path)
        if schedule is not None:
            yield self._schedule(schedule, made)

    def _by_name(self, site: Site, word: str) -> tuple[Model, LogForm] | None:
        """A log call by its receiver's name: loggers come from everywhere, and no file need be read to know one."""
        if word not in self._catalogue.log_words:
            return None
        receiver = dotted(site.call.func).rpartition(".")[0].rpartition(".")[2]
        return self._catalogue.log_names.get((receiver, word))

    def _spawn(self, made: Made, site: Site, value: Value) -> Iterator[SpawnSeen]:
        model, form = self._catalogue.spawns[value.path]
        origin = Made(value.made, value.made_in) if isinstance(value.made, Call) and value.made_in is not None else None
        options = Options(self._resolver, [made, *([origin] if origin is not None and origin.call is not made.call else [])])
        runs = options.get(form.runs)
        yield SpawnSeen(model, form, made, site, runs if isinstance(runs, Hit) else None, origin)

    def _enqueue(self, made: Made, site: Site, value: Value, jobs: JobTable) -> Iterator[EnqueueSeen]:
        found = self._catalogue.enqueues.get(value.path)
        if found is not None:
            model, form = found
            options = Options(self._resolver, chain(made))
            answer = options.get(form.job) if form.job else None
            target, job = self._target(answer, made) if isinstance(answer, Hit) else (self._receiver(made), "")
            queue = Made(value.made, value.made_in) if isinstance(value.made, Call) and value.made_in is not None else None
            yield EnqueueSeen(model, form, made, site, options, target, job or self._receiving_job(made, jobs), queue)
            return
        symbol, method = _split_job(value.path, jobs)
        if symbol and not (not method and value.instance):
            seen = jobs[symbol]
            form_on_job = self._catalogue.on_job.get((seen.model.framework, method or "()"))
            if form_on_job is not None and not self._is_own_body(made.home, seen):
                yield EnqueueSeen(seen.model, form_on_job, made, site, Options(self._resolver, chain(made)), seen.name, symbol)
            return
        yield from self._loose(made, site, value)

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
        home = self._function(hit)
        text = as_text(hit.expr) or dotted(hit.expr)
        if home is not None:
            return self._resolver.definition(home).name, self._resolver.symbol(home)
        return text or self._receiver(made), ""

    def _scheduled(self, part: Part, index: int, function: Function, decorator: Expr) -> Iterator[ScheduleSeen]:
        if dotted(decorator).removesuffix("()").rpartition(".")[2] not in self._catalogue.decorator_words:
            return
        value = self._resolver.resolve(part.path, max(function.parent, 0), decorator)
        found = self._catalogue.schedule_decorators.get(_TRAILING_CALLS.sub("", value.path)) if value else None
        if found is not None and isinstance(decorator, Call):
            when = Options(self._resolver, [Made(decorator, Home(part.path, max(function.parent, 0)))]).get(found[1].when)
            yield ScheduleSeen(*found, Made(decorator, Home(part.path, index)), function.name, self._words(when))

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


def _unresolved(seen: JobSeen, answer: Hit) -> JobSeen:
    text = as_text(answer.expr) or dotted(answer.expr) or "?"
    return JobSeen(seen.model, seen.form, seen.home, seen.options, f"?{text}", text.rpartition(".")[2], seen.app, None)


def _split_job(path: str, jobs: JobTable) -> tuple[str, str]:
    """The job symbol that a path begins with and the method chain after it."""
    if path in jobs:
        return path, ""
    cut = len(path)
    while (cut := path.rfind(".", 0, cut)) > 0:
        if path[:cut] in jobs:
            return path[:cut], path[cut + 1 :]
    return "", ""
