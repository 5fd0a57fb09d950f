"""Who may come in at a handler: what verifies a sender or asks who calls, before the work or around it.

A name that says so (`verify_signature`, `require_admin`, `current_user`) is believed; else what it calls is looked through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.frameworks.sightings import HandlerSeen
from guardrails.names.code import Part
from guardrails.names.options import Made
from guardrails.names.values import Home, Value
from guardrails.outline import (
    Attr,
    Call,
    Expr,
    Function,
    Index,
    Literal_,
    Param,
    Ref,
    Site,
    dotted,
    walk,
)
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.secrets import words_of
from guardrails.project.verifying import Door, Verifying, is_asking

_CALLERS = frozenset("user users admin principal account identity subject member staff superuser viewer".split())
_CAPABILITY = re.compile(
    r"(?i)[<{][^<>{}]*(?:token|secret|key|uuid|signature|code|hash)[^<>{}]*[>}]|\(\?P<\w*(?:token|secret|key|uuid|code|hash)\w*>"
)
_VERBS = frozenset("get post put patch delete head options create update destroy list retrieve".split())


class Doors:
    """Looks for doors; what was looked through is remembered."""

    def __init__(self, ground: Ground, verifying: Verifying) -> None:
        self._verifying = verifying
        self._ground, self._resolver = ground, ground.resolver
        models = ground.catalogue.models
        accesses = [model.access for model in models if model.access is not None]
        self._decorators = frozenset(path for access in accesses for path in access.decorators)
        self._bases = frozenset(path for access in accesses for path in access.bases)
        self._parameters = frozenset(path for access in accesses for path in access.parameters)
        self._attributes = frozenset(name for access in accesses for name in access.attributes)
        self._arguments = frozenset(name for access in accesses for name in access.arguments)
        self._hooks = frozenset(name for access in accesses for name in access.hooks)
        self._open = frozenset(name for access in accesses for name in access.open)

    def around(self, seen: HandlerSeen) -> Door | None:
        """What stands before a handler: a decorator, a dependency, its class, its router, its registration."""
        home = seen.home
        function = self._resolver.definition(home)
        return (
            self._decorated(home, function)
            or self._depends(home, function)
            or self._in_class(home, function)
            or self._in_subclass(home, function)
            or self._registered(seen)
            or self._on_router(home, function)
            or self._hooked(home)
            or self._capability(seen, function)
        )  # fmt: skip

    @staticmethod
    def _capability(seen: HandlerSeen, function: Function) -> Door | None:
        """An address that nobody can guess."""
        place = Place(seen.home.file, function.name_start, function.name_end)
        return Door("its address holds a secret", place) if _CAPABILITY.search(seen.route) else None

    def _decorated(self, home: Home, function: Function) -> Door | None:
        part = self._resolver.part(home)
        owner = function.parent
        over = [(home, function)]
        if owner > 0 and part.functions[owner].kind == "class":
            over.append((Home(home.file, owner), part.functions[owner]))
        for one, definition in over:
            for decorator in definition.decorators:
                door = self._decorator(one, definition, decorator)
                if door is not None:
                    return door
        return None

    def _decorator(self, home: Home, definition: Function, decorator: Expr) -> Door | None:
        scope = max(definition.parent, 0)
        text = dotted(decorator.func if isinstance(decorator, Call) else decorator)
        place = Place(home.file, decorator.start, decorator.end)
        value = self._resolver.resolve(home.file, scope, decorator.func if isinstance(decorator, Call) else decorator)
        if (value is not None and value.path.replace("()", "") in self._stripped) or is_asking(text):
            return Door(f"`{text}` is asked first", place)
        inner = value.home if value is not None else None
        if inner is not None and self._resolver.definition(inner).kind == "function" and self._verifying.below(inner) is not None:
            return Door(f"`{text}` is asked first", place)
        if not isinstance(decorator, Call):
            return None
        for arg in decorator.args:
            if arg.name in self._arguments or not arg.name:
                door = self._listed(Home(home.file, scope), arg.value, named=bool(arg.name))
                if door is not None:
                    return door
        return None

    @property
    def _stripped(self) -> frozenset[str]:
        return frozenset(path.replace("()", "") for path in self._decorators)

    def _listed(self, home: Home, expr: Expr, named: bool = True) -> Door | None:
        """Something in a list of permissions, dependencies or guards that does not let everybody in."""
        place = Place(home.file, expr.start, expr.end)
        for one in walk(expr):
            if isinstance(one, Ref | Attr):
                text = dotted(one)
                word = text.rpartition(".")[2]
                if word in self._open or word in ("None", "Depends", "Security"):
                    continue
                if is_asking(text) or (named and _CALLERS.intersection(words_of(word))) or word.startswith("Is") or "Permission" in word:
                    return Door(f"`{text}` is asked first", place)
                value = self._resolver.resolve(home.file, home.function, one)
                if value is not None and value.home is not None and self._callable_checks(value):
                    return Door(f"`{text}` is asked first", place)
        return None

    def _callable_checks(self, value: Value) -> bool:
        assert value.home is not None
        definition = self._resolver.definition(value.home)
        if definition.kind == "function":
            return self._verifying.below(value.home) is not None
        if definition.kind != "class":
            return False
        part = self._resolver.part(value.home)
        methods = [Home(value.home.file, i) for i in part.members.get(value.home.function, ())]
        return any(self._verifying.below(method) is not None for method in methods)

    def _depends(self, home: Home, function: Function) -> Door | None:
        for param in function.params:
            door = self._parameter(home, param)
            if door is not None:
                return door
        return None

    def _parameter(self, home: Home, param: Param) -> Door | None:
        """A parameter that exists only for a known caller: `user = Depends(get_user)`, `user: CurrentUser`, credentials."""
        sources = [expr for expr in (param.default, param.annotation) if expr is not None]
        if not sources or param.name in ("self", "request", "db", "session"):
            return None
        place = Place(home.file, sources[0].start, sources[0].end)
        scope = max(self._resolver.definition(home).parent, 0)
        for source in sources:
            injected = isinstance(source, Call | Index) and any(
                isinstance(e, Ref) and e.name.rpartition(".")[2] in ("Depends", "Security", "Inject", "Provide") for e in walk(source)
            )
            if injected and (_CALLERS & set(words_of(param.name)) or self._listed(Home(home.file, scope), source) is not None):
                return Door(f"`{param.name}` is asked first", place)
            if not injected and isinstance(source, Ref):
                value = self._resolver.resolve(home.file, scope, source)
                if value is not None and value.path in self._parameters:
                    return Door(f"`{param.name}` is asked first", place)
                words = set(words_of(source.name.rpartition(".")[2]))
                if words & {"current", "auth", "authenticated", "dep", "depends", "dependency"} and (
                    words & _CALLERS or is_asking(source.name)
                ):
                    return Door(f"`{param.name}` is asked first", place)
                door = self._alias(home, value) if value is not None else None
                if door is not None:
                    return door
        return None

    def _alias(self, home: Home, value: Value) -> Door | None:
        """An alias of an annotated dependency: `Caller = Annotated[User, Depends(get_user)]`."""
        if not isinstance(value.made, Index | Call) or value.made_in is None or value.home is not None:
            return None
        return self._listed(value.made_in, value.made)

    def _in_class(self, home: Home, function: Function) -> Door | None:
        owner = function.parent
        if owner <= 0 or self._resolver.part(home).functions[owner].kind != "class":
            return None
        return self._bases_ask(Home(home.file, owner))

    def _bases_ask(self, owner: Home) -> Door | None:
        """A class or one of its bases asks: by its name, an attribute, a method."""
        own = self._resolver.definition(owner)
        for base in self._resolver.bases(owner):
            if isinstance(base, str):
                if base.replace("()", "") in self._bases or is_asking(base):
                    return Door(f"`{base.rpartition('.')[2]}` is asked first", Place(owner.file, own.name_start, own.name_end))
                continue
            door = self._class_attributes(base) or self._class_methods(base)
            if door is not None:
                return door
            definition = self._resolver.definition(base)
            if base != owner and is_asking(definition.name):
                return Door(f"`{definition.name}` is asked first", Place(base.file, definition.name_start, definition.name_end))
        return None

    def _in_subclass(self, home: Home, function: Function) -> Door | None:
        """A base class is called through classes derived from it only: one that asks asks for it."""
        if function.parent <= 0 or self._resolver.part(home).functions[function.parent].kind != "class":
            return None
        owner = Home(home.file, function.parent)
        name = self._resolver.definition(owner).name
        for path in self._ground.code.words.holding(name):
            part = self._ground.code.part(path) if self._ground.code.is_read(path) else None
            for index, definition in enumerate(part.functions if part is not None else ()):
                if definition.kind == "class" and any(dotted(base.value).rpartition(".")[2] == name for base in definition.bases):
                    door = self._bases_ask(Home(path, index))
                    if door is not None:
                        return door
        return None

    def _class_attributes(self, home: Home) -> Door | None:
        for step in self._resolver.definition(home).steps:
            names = [dotted(target) for target in step.targets]
            if step.kind == "assign" and step.value is not None and self._attributes.intersection(names):
                door = self._listed(home, step.value)
                if door is None and isinstance(step.value, Literal_) and isinstance(step.value.value, str):
                    door = Door(f"`{names[0]}` is asked first", Place(home.file, step.start, step.end))
                if door is not None:
                    return door
        return None

    def opened(self, home: Home) -> bool:
        """The handler's class, or a decorator, lets everybody in by its own word."""
        part = self._resolver.part(home)
        function = self._resolver.definition(home)
        said = [
            arg.value
            for decorator in function.decorators
            if isinstance(decorator, Call) and self._attributes & {dotted(decorator.func).rpartition(".")[2]}
            for arg in decorator.args
        ]
        if function.parent > 0 and part.functions[function.parent].kind == "class":
            steps = part.functions[function.parent].steps
            said += [
                s.value
                for s in steps
                if s.value is not None and {"permission_classes", "authentication_classes"} & {dotted(t) for t in s.targets}
            ]
        return bool(said)

    def _class_methods(self, home: Home) -> Door | None:
        part = self._resolver.part(home)
        for index in part.members.get(home.function, ()):
            if part.functions[index].name not in _VERBS:
                door = self._verifying.below(Home(home.file, index))
                if door is not None:
                    return door
                door = self._decorated(Home(home.file, index), part.functions[index]) if part.functions[index].name == "dispatch" else None
                if door is not None:
                    return door
        return None

    def _registered(self, seen: HandlerSeen) -> Door | None:
        """`path("x", login_required(view))`, `Route("/x", view, middleware=[..])`."""
        if seen.made is None:
            return None
        for arg in seen.made.call.args:
            for one in walk(arg.value):
                if isinstance(one, Call) and is_asking(dotted(one.func)):
                    return Door(f"`{dotted(one.func)}` is asked first", Place(seen.made.home.file, one.start, one.end))
            if arg.name in self._arguments:
                door = self._listed(seen.made.home, arg.value)
                if door is not None:
                    return door
        return None

    def _on_router(self, home: Home, function: Function) -> Door | None:
        """The router, blueprint or application that the handler's decorator belongs to, and where that is included."""
        for decorator in function.decorators:
            func = decorator.func if isinstance(decorator, Call) else decorator
            value = self._resolver.resolve(home.file, max(function.parent, 0), func)
            if value is None or not isinstance(value.made, Call) or value.made_in is None:
                continue
            made = Made(value.made, value.made_in)
            door = self._constructor(made) or self._included(made)
            if door is not None:
                return door
        return None

    def _constructor(self, made: Made) -> Door | None:
        for arg in made.call.args:
            if arg.name in self._arguments:
                door = self._listed(made.home, arg.value)
                if door is not None:
                    return door
        return None

    def _included(self, router: Made, depth: int = 0) -> Door | None:
        """`app.include_router(router, dependencies=[..])`, `api.add_router("/x", router, auth=..)`."""
        for part, index, site in self._inclusions():
            for arg in site.call.args:
                value = self._resolver.resolve(part.path, index, arg.value) if not arg.name and isinstance(arg.value, Ref) else None
                if value is None or value.made is not router.call:
                    continue
                outer = Made(site.call, Home(part.path, index))
                door = self._constructor(outer)
                if door is not None:
                    return door
                owner = self._resolver.resolve(part.path, index, site.call.func)
                if (
                    depth < 3
                    and owner is not None
                    and isinstance(owner.made, Call)
                    and owner.made_in is not None
                    and owner.made is not router.call
                ):
                    above = Made(owner.made, owner.made_in)
                    door = self._constructor(above) or self._included(above, depth + 1)
                    if door is not None:
                        return door
        return None

    def _inclusions(self) -> Iterator[tuple[Part, int, Site]]:
        for word in ("include_router", "add_router", "register_blueprint", "mount"):
            for path in self._ground.code.words.holding(word):
                part = self._ground.code.part(path)
                for index, site in part.sites_by_name.get(word, ()):
                    yield part, index, site

    def _hooked(self, home: Home) -> Door | None:
        """A function of the same file that runs before every request."""
        part = self._resolver.part(home)
        for index, function in enumerate(part.functions):
            words = {dotted(decorator).removesuffix("()").rpartition(".")[2] for decorator in function.decorators}
            if words & self._hooks and (is_asking(function.name) or self._verifying.below(Home(part.path, index)) is not None):
                return Door(f"`{function.name}` is asked first", Place(part.path, function.name_start, function.name_end))
        for hook in self._hooks:
            for index, site in part.sites_by_name.get(hook, ()):
                for arg in site.call.args:
                    door = self._listed(Home(part.path, index), arg.value)
                    if door is not None:
                        return door
        return None
