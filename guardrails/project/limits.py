"""The limit of a wait: on the call, from the callers, on the maker of its receiver, in the process, in the settings, by default."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import msgspec

from guardrails.facts import NEVER, Absent, Known, Setting, Unknown, never_ends
from guardrails.finding import Related
from guardrails.frameworks.forms.waiting import LimitForm, WaitForm
from guardrails.frameworks.sightings import CallSeen
from guardrails.names.evaluate import Scalar, evaluate
from guardrails.names.options import Answer, Hit, Made, Options
from guardrails.names.values import Home, scopes
from guardrails.outline import Call, Group, Index, Literal_, Param, Ref, Site, dotted, receiver
from guardrails.place import Place
from guardrails.project.ground import Ground

_UP = 3  # callers of callers that are asked
_HIDDEN = "its options arrive by an argument that was not resolved"


class Waited(msgspec.Struct, frozen=True):
    """A wait's limit. `asks_callers`: it stands in an argument that callers give; `inferred`: those that are known give none.

    `unset`: the callers leave the argument out, so that what comes after it decides.
    """

    limit: Setting
    cause: str = ""
    made: tuple[Related, ...] = ()
    inferred: bool = False
    asks_callers: bool = False
    unset: bool = False


class Limits:
    """Judges waits; callers are only asked when all of them are known (`final`)."""

    def __init__(self, ground: Ground, final: bool = False) -> None:
        self._ground, self._final = ground, final
        self._memory: dict[tuple[str, int, str], Waited | None] = {}
        self._parted: dict[str, LimitForm] = {f"{form.call}()": form for model in ground.catalogue.models for form in model.limits}
        self._replacing = cache(self._replacements)
        self._mounting = cache(self._mounts)
        self._in_process = cache(self._calls_in_process)

    def of(self, seen: CallSeen) -> Waited | None:
        """The limit of a wait that was seen, None where it does not wait."""
        key = (seen.made.home.file, seen.made.call.start, seen.path)
        if key not in self._memory:
            self._memory[key] = self._judge(seen) if self._waits(seen) else None
        return self._memory[key]

    def _waits(self, seen: CallSeen) -> bool:
        form: WaitForm = seen.form
        own = Options(self._ground.resolver, [seen.made])
        options = Options(self._ground.resolver, [seen.made, *([seen.origin] if seen.origin is not None else [])])
        if any(self._may_be((own if name.isdigit() else options).get(name), value) for name, value in form.quick.items()):
            return False
        if any(_is_given(options.get(name)) for name in form.without) or self._is_over(seen):
            return False
        return not form.entered or self._is_entered(seen)

    def _is_over(self, seen: CallSeen) -> bool:
        """What is waited for was ended above: `child.kill()`, then `child.wait()`."""
        owner = dotted(seen.made.call.func).rpartition(".")[0]
        sites = self._ground.resolver.definition(seen.made.home).sites if seen.form.ended and owner else ()
        endings = {f"{owner}.{name}" for name in seen.form.ended}
        return any(site.call.start < seen.made.call.start and dotted(site.call.func) in endings for site in sites)

    def _judge(self, seen: CallSeen) -> Waited | None:
        form: WaitForm = seen.form
        own = self._given(seen.made, form, form.arguments, 0)
        if own is None or own.unset:
            rest = self._on_maker(seen) or self._far(form)
            return rest if own is None else msgspec.structs.replace(rest, inferred=True)
        options = Options(self._ground.resolver, [seen.made])
        streams = any(self._may_be(options.get(name), value) for name, value in form.streams.items())
        return None if streams and never_ends(own.limit) else own

    def _may_be(self, answer: Answer, value: Scalar) -> bool:
        """An argument has this value, or may have it."""
        if not isinstance(answer, Hit):
            return False
        constant = evaluate(self._ground.resolver, answer)
        return constant is None or constant.value == value

    def _is_entered(self, seen: CallSeen) -> bool:
        """A `with` of the call, or of the name that holds it."""
        function = self._ground.resolver.definition(seen.made.home)
        holder = seen.site.holder if seen.site.use == "assigned" else ""
        entered = (dotted(step.value) for step in function.steps if step.kind == "enter" and step.value is not None)
        return seen.site.use == "entered" or (bool(holder) and holder in entered)

    def _given(self, made: Made, form: WaitForm, selectors: tuple[str, ...], depth: int) -> Waited | None:
        """What an argument of a call says; where callers give it, what they say. None where it is left out."""
        answer = Options(self._ground.resolver, [made]).first(selectors)
        if isinstance(answer, Hit):
            return self._value(answer, form, depth)
        names = tuple(name for name in selectors if not name.isdigit())
        spreads = [dotted(arg.value) for arg in made.call.args if arg.splat == "**"]
        if any(self._fills(made.home, spread, names) for spread in spreads if spread):
            return Waited(Unknown(_HIDDEN))
        if answer is None:
            return None
        if len(spreads) != 1 or not self._spreads_on(made.home, spreads[0]):
            return Waited(Unknown(_HIDDEN))
        return self._from_callers(made.home, lambda call: self._given(call, form, names, depth + 1), depth, Absent(None))

    def _spreads_on(self, home: Home, name: str) -> bool:
        """A mapping is the function's own `**` parameter, as it came."""
        function = self._ground.resolver.definition(home)
        return any(param.kind == "**" and param.name == name for param in function.params)

    def _fills(self, home: Home, name: str, keys: tuple[str, ...]) -> bool:
        """A mapping gets one of these keys, or keys that cannot be told, after it was made."""
        function = self._ground.resolver.definition(home)
        for step in function.steps:
            for target in step.targets:
                key = getattr(target.key, "value", None) if isinstance(target, Index) and dotted(target.base) == name else ""
                if key is None or key in keys or (step.kind == "augment" and dotted(target) == name):
                    return True
        return any(_fills_by(site, name, keys) for site in function.sites)

    def _from_callers(self, home: Home, ask: Callable[[Made], Waited | None], depth: int, none: Setting) -> Waited:
        """What the callers of a function give; `none` when no known one gives a limit."""
        unknown = Waited(Unknown("its callers decide"), asks_callers=True)
        callers = self._ground.callers
        edges = callers.of(home) if self._final and depth < _UP and callers.outermost(home) == home else ()
        sites = [(edge.caller, callers.site_of(edge)) for edge in edges]
        said = [ask(Made(site.call, caller)) if site is not None else unknown for caller, site in sites]
        limited = [one for one in said if one is not None and not one.unset and not never_ends(one.limit)]
        if not limited:
            return Waited(none, inferred=True, unset=isinstance(none, Absent)) if edges else unknown
        settled = all(not isinstance(one.limit, Unknown) or one.limit.present == "yes" for one in limited)
        return Waited(Unknown("its callers give it", present="yes")) if settled and len(limited) == len(said) else unknown

    def _value(self, hit: Hit, form: WaitForm, depth: int) -> Waited | None:
        """A limit from its expression; None where it means that none was given."""
        expr = hit.expr
        if isinstance(expr, Group) and expr.items:
            return self._value(Hit(expr.items[-1], hit.home), form, depth)
        param = self._parameter(hit)
        if param is not None:
            return self._from_parameter(hit, param, form, depth)
        parted = self._from_parts(hit, form, depth)
        return parted if parted is not None else self._constant(hit, form)

    def _constant(self, hit: Hit, form: WaitForm) -> Waited | None:
        place = hit.place
        constant = evaluate(self._ground.resolver, hit)
        if constant is None or constant.given:
            return Waited(Unknown("its value is only known when it runs", place, "yes"))
        if constant.value in form.inherit:
            return None
        if constant.value not in form.never and constant.value != NEVER:
            return Waited(Known(constant.value, place))
        if not self._is_sure(hit):
            return Waited(Unknown("its value is only known when it runs", place, "yes"))
        return Waited(Known(NEVER, place))

    def _is_sure(self, hit: Hit) -> bool:
        """A literal, or a plain name that is bound once: attributes may be set anywhere."""
        if not isinstance(hit.expr, Ref):
            return isinstance(hit.expr, Literal_)
        part = self._ground.resolver.part(hit.home)
        bound = next((found for scope in scopes(part, hit.home.function) if (found := part.bindings(scope).get(hit.expr.name))), [])
        return len(bound) == 1

    def _parameter(self, hit: Hit) -> Param | None:
        """The parameter of its function that an expression is, as it came."""
        if not isinstance(hit.expr, Ref):
            return None
        name = hit.expr.name
        rebound = name in self._ground.resolver.part(hit.home).bindings(hit.home.function)
        return (
            None if rebound else next((p for p in self._ground.resolver.definition(hit.home).params if p.name == name and not p.kind), None)
        )

    def _from_parameter(self, hit: Hit, param: Param, form: WaitForm, depth: int) -> Waited | None:
        """A default that is a limit settles it; without one, or with one that is none, the callers say."""
        place = hit.place
        default = evaluate(self._ground.resolver, Hit(param.default, hit.home)) if param.default is not None else None
        if default is None or default.value not in (*form.never, *form.inherit):
            return Waited(Unknown("its callers give it", place, "yes"))
        selectors = (param.name, *self._position(hit.home, param))
        none = Absent(None) if default.value in form.inherit else Known(NEVER, place)
        return self._from_callers(hit.home, lambda call: self._given(call, form, selectors, depth + 1), depth, none)

    def _position(self, home: Home, param: Param) -> tuple[str, ...]:
        function = self._ground.resolver.definition(home)
        owner = self._ground.resolver.part(home).functions[function.parent] if function.parent >= 0 else None
        params = (
            function.params[1:] if owner is not None and owner.kind == "class" and not _is_static(function.decorators) else function.params
        )
        return (str(params.index(param)),) if param in params else ()

    def _from_parts(self, hit: Hit, form: WaitForm, depth: int) -> Waited | None:
        """A limit of several parts: the first part that is set counts."""
        value = self._ground.resolver.resolve(hit.home.file, hit.home.function, hit.expr) if self._parted else None
        parts = self._parted.get(value.path) if value is not None else None
        if parts is None or value is None or not isinstance(value.made, Call) or value.made_in is None:
            return None
        options = Options(self._ground.resolver, [Made(value.made, value.made_in)])
        place = Place(value.made_in.file, value.made.start, value.made.end)
        for name in parts.arguments:
            answer = options.get(name)
            if answer == "maybe":
                return Waited(Unknown("its value is only known when it runs", place, "yes"))
            if not isinstance(answer, Hit) or (isinstance(answer.expr, Literal_) and answer.expr.value in parts.inherit):
                continue
            return self._value(answer, form, depth)
        return Waited(Known(NEVER, place))

    def _on_maker(self, seen: CallSeen) -> Waited | None:
        """What the call that made the receiver says, and whoever may stand between."""
        form: WaitForm = seen.form
        origin = seen.origin
        if origin is not None and dotted(origin.call.func).endswith("partial"):
            given = self._given(origin, form, tuple(name for name in form.arguments if not name.isdigit()), 0)
            if given is not None:
                return given
        if form.origin and origin is None and form.default is None:
            return Waited(Unknown("the place that makes it was not seen"))
        given = self._given(origin, form, form.origin, 0) if origin is not None and form.origin else None
        if given is not None and not given.unset:
            return self._shared(seen, given) if never_ends(given.limit) else given
        if self._is_replaced(seen) or self._is_mounted(seen):
            return Waited(Unknown("what sends it for its receiver may limit it", present="yes"))
        if (form.origin or form.overrides) and form.default is None:
            return self._shared(seen, self._far(form))
        return None

    def _shared(self, seen: CallSeen, waited: Waited) -> Waited:
        """Calls of one maker have one cause."""
        if seen.origin is None or not never_ends(waited.limit):
            return waited
        made = seen.origin.place
        related = (Related(made, "it is made here, without a limit"),)
        return msgspec.structs.replace(waited, cause=f"wait:{made.path}:{made.start}", made=related)

    def _is_replaced(self, seen: CallSeen) -> bool:
        """The receiver's class, or an assignment near its maker, replaces a method through which its calls go."""
        form: WaitForm = seen.form
        base = receiver(seen.made.call.func) if form.overrides else None
        if base is None:
            return False
        value = self._ground.resolver.resolve(seen.made.home.file, seen.made.home.function, base)
        for home in self._ground.resolver.bases(value.home) if value is not None and value.home is not None else ():
            if isinstance(home, Home) and any(self._ground.resolver.part(home).member(home.function, name) >= 0 for name in form.overrides):
                return True
        near = {seen.made.home.file, *([seen.origin.home.file] if seen.origin is not None else [])}
        return any(self._replacing(path, form.overrides) for path in near)

    def _replacements(self, path: str, names: tuple[str, ...]) -> bool:
        part = self._ground.code.part(path)
        stored = (name for index in range(len(part.functions)) for name in part.stores(index) if "." in name)
        return any(name.rpartition(".")[2] in names for name in stored)

    def _is_mounted(self, seen: CallSeen) -> bool:
        """Something that may limit it is plugged into the receiver: near its maker, or anywhere when that was not seen."""
        form: WaitForm = seen.form
        if not form.mounts:
            return False
        if seen.origin is None:
            return any(self._mounting(part.path, form.mounts, form.plain) for part in self._ground.parts())
        return any(self._mounting(path, form.mounts, form.plain) for path in (seen.made.home.file, seen.origin.home.file))

    def _mounts(self, path: str, method: str, plain: tuple[str, ...]) -> bool:
        part = self._ground.code.part(path)
        for index, site in part.sites_by_name.get(method, ()):
            answer = Options(self._ground.resolver, [Made(site.call, Home(path, index))]).get("1")
            value = self._ground.resolver.resolve(path, index, answer.expr) if isinstance(answer, Hit) else None
            if isinstance(answer, Hit) and (value is None or value.path.removesuffix("()") not in plain):
                return True
        return False

    def _far(self, form: WaitForm) -> Waited:
        """What the process or the settings say; else the default."""
        if self._in_process(form.global_):
            return Waited(Unknown("the process may limit it", present="yes"))
        default = Absent(NEVER if form.default is None else form.default, form.source, form.settings)
        if not form.settings:
            return Waited(default)
        assigned = self._ground.settings.assigned
        if form.host and not assigned(form.host, ()):
            return Waited(Unknown("the project that installs this one decides"))
        values = [evaluate(self._ground.resolver, entry.hit) for entry in assigned(form.settings, ())]
        if any(value is None or value.given or value.value not in form.never for value in values):
            return Waited(Unknown("the settings limit it", present="yes"))
        inferred = False
        for key, word in form.replaced.items():
            said = [evaluate(self._ground.resolver, entry.hit) for entry in assigned((key,), ())]
            if said and all(value is not None and word not in str(value.value).lower() for value in said):
                return Waited(Unknown("something else does the waiting", present="yes"))
            inferred = inferred or any(value is None for value in said)
        return Waited(default, cause=f"wait:{form.settings[0]}", inferred=inferred)

    def _calls_in_process(self, names: tuple[str, ...]) -> bool:
        words = {name.rpartition(".")[2] for name in names}
        for part in self._ground.parts() if words else ():
            for word in words:
                for index, site in part.sites_by_name.get(word, ()):
                    value = self._ground.resolver.resolve(part.path, index, site.call.func)
                    if value is not None and value.path in names:
                        return True
        return False


def _is_given(answer: Answer) -> bool:
    return answer is not None and not (isinstance(answer, Hit) and isinstance(answer.expr, Literal_) and answer.expr.value is None)


def _is_static(decorators: tuple[object, ...]) -> bool:
    return any(getattr(one, "name", "") == "staticmethod" for one in decorators)


def _fills_by(site: Site, name: str, keys: tuple[str, ...]) -> bool:
    """`options.setdefault("timeout", 5)`, `options.update(..)`."""
    owner, _, last = dotted(site.call.func).rpartition(".")
    if owner != name or last not in ("setdefault", "update") or not site.call.args:
        return False
    if last == "setdefault":
        return getattr(site.call.args[0].value, "value", None) in keys
    return any(arg.name in keys or not arg.name for arg in site.call.args)
