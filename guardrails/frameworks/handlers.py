"""Which functions answer HTTP requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.forms.web import HandlerForm
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import HandlerSeen
from guardrails.names.code import Part, last_word
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home, Value
from guardrails.outline import Attr, Call, Closure, Expr, Function, Group, Index, Ref, Site, dotted

_TRAILING_CALLS = re.compile(r"(\(\))+$")
_HTTP = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"))


class _Registration(msgspec.Struct, frozen=True):
    """A call that registers a handler: the form, the argument, the symbol that is called, the call."""

    found: tuple[Model, HandlerForm]
    hit: Hit
    path: str
    made: Made


class Handlers:
    """Matches the models' handler forms."""

    def __init__(self, resolver: Resolver, catalogue: Catalogue) -> None:
        self._resolver, self._catalogue = resolver, catalogue
        self.names: Callable[[str, str], bool] = lambda path, word: True  # whether a file holds a word
        self.worth: frozenset[str] = frozenset()  # files that are worth reading for the sake of a handler
        self._waiting: dict[str, list[_Registration]] = {}
        self._parameter_words = frozenset(path.rpartition(".")[2] for path in catalogue.handler_parameters)

    def seen(self, part: Part) -> Iterator[HandlerSeen]:
        """The handlers that a part declares or registers (those may stand in other files)."""
        yield from self._wrapped_exports(part)
        for index, function in enumerate(part.functions):
            if function.kind == "class":
                yield from self._class(part, index, function)
            elif index and function.kind in ("function", "closure"):
                yield from self._function(part, index, function)
            for word, site in part.words[index]:
                if word in self._catalogue.handler_words:
                    yield from self._registered(part, index, site)

    def _function(self, part: Part, index: int, function: Function) -> Iterator[HandlerSeen]:
        home = Home(part.path, index)
        for decorator in function.decorators:
            if dotted(decorator).removesuffix("()").rpartition(".")[2] not in self._catalogue.decorator_words:
                through = self._through(part, home, max(function.parent, 0), decorator)
                if through is not None:
                    yield through
                    return
                continue
            value = self._known(part, max(function.parent, 0), decorator)
            path = _TRAILING_CALLS.sub("", value.path) if value else ""
            found = self._catalogue.handler_decorators.get(path)
            if found is not None:
                yield self._seen(
                    found, home, path, Made(decorator, Home(part.path, max(function.parent, 0))) if isinstance(decorator, Call) else None
                )
                return
        yield from self._by_parameter(part, index, function)
        yield from self._exported(part, index, function)

    def _through(self, part: Part, home: Home, outer: int, decorator: Expr) -> HandlerSeen | None:
        """A decorator of the project that is handed the one of a router: `@protected(router.post, "/orders", ["write"])`."""
        for arg in decorator.args if isinstance(decorator, Call) else ():
            word = dotted(arg.value).rpartition(".")[2] if isinstance(arg.value, Ref | Attr) else ""
            value = self._known(part, outer, arg.value) if word in self._catalogue.decorator_words else None
            found = self._catalogue.handler_decorators.get(value.path) if value is not None else None
            if found is not None and value is not None and isinstance(decorator, Call):
                route = next((text for each in decorator.args if (text := as_text(each.value)) is not None), "")
                verbs = self._verbs(found[1], Options(self._resolver, [Made(decorator, Home(part.path, outer))]), word)
                return HandlerSeen(found[0], home, route, verbs)
        return None

    def _by_parameter(self, part: Part, index: int, function: Function) -> Iterator[HandlerSeen]:
        for param in function.params if self._catalogue.handler_parameters else ():
            if param.annotation is None:
                continue
            outer = param.annotation.base if isinstance(param.annotation, Index) else param.annotation
            if not isinstance(outer, Ref) or outer.name.rpartition(".")[2] not in self._parameter_words:
                continue
            value = self._resolver.annotated(part, index, outer)
            found = self._catalogue.handler_parameters.get(value.path.removesuffix("()")) if value else None
            if found is not None:
                yield HandlerSeen(found[0], Home(part.path, index), "", found[1].default)
                return

    def _exported(self, part: Part, index: int, function: Function) -> Iterator[HandlerSeen]:
        if function.exported and function.parent == 0 and function.name in _HTTP:
            for model in self._file_models(part):
                yield HandlerSeen(model, Home(part.path, index), part.path, (function.name,))

    def _file_models(self, part: Part) -> list[Model]:
        return [
            model for model, form in self._catalogue.handler_files if re.search(form.file, part.path) and part.language in model.languages
        ]

    def _wrapped_exports(self, part: Part) -> Iterator[HandlerSeen]:
        """`export const POST = withError("name", async (request) => ..)`."""
        models = self._file_models(part)
        for step in part.functions[0].steps if models else ():
            name = next((dotted(target) for target in step.targets if dotted(target) in _HTTP), "")
            if name and isinstance(step.value, Call):
                yield from (HandlerSeen(models[0], home, part.path, (name,)) for home in self._meant(Hit(step.value, Home(part.path, 0))))

    def _class(self, part: Part, index: int, function: Function) -> Iterator[HandlerSeen]:
        if not function.bases or not any(part.functions[i].name in self._catalogue.handler_methods for i in part.members.get(index, ())):
            return
        home = Home(part.path, index)
        for base in self._resolver.bases(home):
            found = self._catalogue.handler_bases.get(base) if isinstance(base, str) else None
            if found is None:
                continue
            for name, verb in found[1].methods.items():
                method = part.member(index, name)
                if method >= 0:
                    yield HandlerSeen(found[0], Home(part.path, method), "", (verb,))
            return

    def _registered(self, part: Part, index: int, site: Site) -> Iterator[HandlerSeen]:
        if part.language == "python" and not any(self.names(part.path, root) for root in self._catalogue.handler_roots[last_word(site)]):
            return
        value = self._known(part, index, site.call.func)
        found = self._catalogue.handler_calls.get(value.path) if value else None
        if found is None or value is None:
            return
        made = Made(site.call, Home(part.path, index))
        for hit in self._functions(found[1], made):
            yield from self._seen_all(_Registration(found, hit, value.path, made))

    def late(self, path: str) -> Iterator[HandlerSeen]:
        """The handlers in a file that were registered elsewhere before the file was read."""
        for registration in self._waiting.pop(path, ()):
            yield from self._seen_all(registration)

    def _seen_all(self, one: _Registration) -> Iterator[HandlerSeen]:
        for home in self._meant(one.hit, one):
            yield self._seen(one.found, home, one.path, one.made)

    def _meant(self, hit: Hit, registration: _Registration | None = None) -> list[Home]:
        """The function that an argument is, or those that a call wraps: `csrf_exempt(view)`, `asyncHandler(async (req, res) => ..)`.

        One in a file that was not read waits until it is.
        """
        if isinstance(hit.expr, Call):
            functions = [arg.value for arg in hit.expr.args if isinstance(arg.value, Ref | Closure | Call)]
            wrapped = [home for expr in functions for home in self._meant(Hit(expr, hit.home), registration)]
            if wrapped:
                return wrapped
        with self._resolver.shallow():
            value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        if value is not None and value.home is None and value.made_in is not None and value.made is None and registration is not None:
            self._waiting.setdefault(value.made_in.file, []).append(registration)
        home = value.home if value is not None else None
        return [home] if home is not None and home.function and self._resolver.definition(home).kind in ("function", "closure") else []

    def _known(self, part: Part, function: int, expr: Expr) -> Value | None:
        """What an expression means, reading only files that name a web framework."""
        with self._resolver.shallow(self.worth):
            return self._resolver.resolve(part.path, function, expr)

    def _functions(self, form: HandlerForm, made: Made) -> list[Hit]:
        options = Options(self._resolver, [made])
        if form.function == "callables":
            return [hit for name, hit in options.selected(("*",)) if name != "0"]
        answer = options.get(form.function)
        return [answer] if isinstance(answer, Hit) else []

    def _seen(self, found: tuple[Model, HandlerForm], home: Home, path: str, made: Made | None) -> HandlerSeen:
        model, form = found
        options = Options(self._resolver, [made] if made is not None else [])
        route = options.first((form.route, "path", "rule")) if form.route else None
        verbs = self._verbs(form, options, path.rpartition(".")[2])
        return HandlerSeen(model, home, (as_text(route.expr) or "") if isinstance(route, Hit) else "", verbs, made)

    def _verbs(self, form: HandlerForm, options: Options, last: str) -> tuple[str, ...]:
        answer = options.get(form.verbs) if form.verbs else None
        if isinstance(answer, Hit):
            return tuple(sorted(text.upper() for text in _texts(answer.expr)))
        word = last.removeprefix("add_").removesuffix("_route").upper()
        return (word,) if word in _HTTP else form.default


def _texts(expr: Expr) -> list[str]:
    items = expr.items if isinstance(expr, Group) else (expr,)
    return [text for item in items if (text := as_text(item)) is not None]
