"""Which functions and classes are jobs: decorated, derived, listed, registered by a call, or called by a platform by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.forms.work import JobForm
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import JobSeen
from guardrails.names.code import Part
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit, Made, Options, chain
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home, Value
from guardrails.outline import Call, Closure, Expr, Function, Group, Literal_, Pair, Ref, Site, dotted
from guardrails.place import Place

_FACTORIES = 3  # functions that give a function that gives a decorator
_TRAILING_CALLS = re.compile(r"(\(\))+$")


class Declared:
    """Matches the models' job forms."""

    def __init__(self, resolver: Resolver, catalogue: Catalogue) -> None:
        self._resolver, self._catalogue = resolver, catalogue
        self.factories: set[Home] = set()  # functions in decorators of the project: what these decorate is the job, not they

    def jobs(self, part: Part) -> Iterator[JobSeen]:
        """The jobs that a part declares."""
        for model, form in self._catalogue.job_lists:
            yield from self._listed_in_mapping(part, model, form)
        for index, function in enumerate(part.functions):
            if function.kind == "class":
                yield from self._class_jobs(part, index, function)
            elif function.decorators:
                yield from self._decorated(part, index, function)
            elif function.params and not function.parent and self._catalogue.job_parameters:
                yield from self._by_parameters(part, index, function)
            for word, site in part.words[index]:
                if word in self._catalogue.job_words:
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

    def _by_parameters(self, part: Part, index: int, function: Function) -> Iterator[JobSeen]:
        """A function of a module that a platform calls by name: told by its parameters and by what it reads from them."""
        for model, form in self._catalogue.job_parameters.get(tuple(param.name for param in function.params), ()):
            text = self._resolver.text(part.path, function.start, function.end)
            if part.language in model.languages and any(mention in text for mention in form.mentions):
                yield self._job((model, form), Home(part.path, index), [], None)
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
        return self._registered_inside(part, home)

    def _registered_inside(self, part: Part, home: Home) -> Value | None:
        """The job decorator that a function, or one that is defined inside it, calls with a function: `actor(wrapped, **options)`."""
        for index in (home.function, *part.members.get(home.function, ())):
            for site in part.functions[index].sites:
                first = site.call.args[0].value if site.call.args and not site.call.args[0].name else None
                value = self._resolver.resolve(home.file, index, site.call.func) if isinstance(first, Ref) else None
                if value is not None and value.home is None and value.path in self._catalogue.job_decorators:
                    return msgspec.structs.replace(value, made=site.call, made_in=Home(home.file, index))
        return None

    def _app(self, part: Part, function: Function, decorator: Expr) -> Made | None:
        """The application whose decorator it is: `app` of `@app.task(bind=True)`."""
        expr = decorator.func if isinstance(decorator, Call) else decorator
        value = self._resolver.resolve(part.path, max(function.parent, 0), expr)
        return origin_of(value) if value is not None else None

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
        definition = self._resolver.definition(owner or home)
        if form.of_class and definition.parent > 0:
            name = name or self._resolver.definition(Home(home.file, definition.parent)).name
        return JobSeen(model, form, home, options, symbol, name or definition.name, app, owner)

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

    def _listed_in_mapping(self, part: Part, model: Model, form: JobForm) -> Iterator[JobSeen]:
        """The functions that a module's settings mapping lists: `settings = {"queue": queue, "functions": [charge]}`."""
        imported = {one.target.partition(".")[0] for one in part.outline.imports}
        for step in part.functions[0].steps if imported.intersection(model.packages) else ():
            items = step.value.items if isinstance(step.value, Group) and step.value.kind == "dict" else ()
            entries = {str(i.key.value): i.value for i in items if isinstance(i, Pair) and isinstance(i.key, Literal_)}
            if form.listed in entries and any(name in entries for name in form.beside):
                listed = entries[form.listed]
                for item in listed.items if isinstance(listed, Group) else ():
                    yield from self._listed_item(part, 0, (model, form), item)

    def _listed_item(self, part: Part, index: int, found: tuple[Model, JobForm], item: Expr) -> Iterator[JobSeen]:
        calls = [Made(item, Home(part.path, index))] if isinstance(item, Call) else []
        function = Options(self._resolver, calls).first(("0", "coroutine")) if calls else Hit(item, Home(part.path, index))
        home = self.function(function) if isinstance(function, Hit) else None
        if home is not None:
            yield msgspec.structs.replace(self._job(found, home, calls, None), listed_in=Home(part.path, index))

    def function(self, hit: Hit) -> Home | None:
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
        if isinstance(answer, Hit) and isinstance(answer.expr, Group):
            for item in answer.expr.items:
                yield from self._listed_item(part, index, found, item)
        elif isinstance(answer, Hit):
            home = self.function(answer)
            seen = self._job(found, home or Home(part.path, index), chain(made), origin_of(value))
            yield seen if home is not None or isinstance(answer.expr, Closure) else _unresolved(seen, answer)


def origin_of(value: Value, made: Made | None = None) -> Made | None:
    """The call that made a value, where it was seen and is not the one that is judged."""
    if isinstance(value.made, Call) and value.made_in is not None and (made is None or value.made is not made.call):
        return Made(value.made, value.made_in)
    return None


def _unresolved(seen: JobSeen, answer: Hit) -> JobSeen:
    text = as_text(answer.expr) or dotted(answer.expr) or "?"
    return JobSeen(seen.model, seen.form, seen.home, seen.options, f"?{text}", text.rpartition(".")[2], seen.app, None)
