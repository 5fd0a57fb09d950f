"""The keys that settings modules, settings classes and mappings assign, over the whole project, each for its own application."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Container, Iterator, Mapping
from functools import cache, lru_cache

import msgspec

from guardrails.facts import Setting
from guardrails.frameworks.forms.work import Spec, Timeout
from guardrails.names.code import Code, Part
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Call, Expr, Function, Group, Index, Literal_, Pair, Ref, Step, dotted, enclosing, walk
from guardrails.place import Place
from guardrails.project.settings.values import is_endless, read
from guardrails.project.units import is_development

_CONFIGURES = re.compile(r"(?i)conf|setting|options\b|defaults\b")  # names of what holds settings
_DEBUG = re.compile(r"(?i)debug|test|dev|local")


class Assigned(msgspec.Struct, frozen=True):
    """A settings key with its value where it is assigned; `sure` is false below a condition."""

    key: str
    hit: Hit
    place: Place
    sure: bool


class Keys:
    """Finds settings keys; `apps` are the applications of each framework, to whose nearest a settings file belongs."""

    def __init__(self, code: Code, resolver: Resolver) -> None:
        self._code, self._resolver = code, resolver
        self.apps: Mapping[str, tuple[Made, ...]] = {}
        self.assigned = cache(self._assigned)
        self.files_with = cache(self._files_with)
        self.veiled = cache(self._veiled)
        self._namespaces = cache(self._named_by)

    def prefixes(self, spec: Spec) -> tuple[str, ...]:
        """What settings keys may begin with: the usual prefixes and the namespaces that the project names."""
        return (*spec.prefixes, *(prefix for call, selector in spec.namespaces.items() for prefix in self._namespaces(call, selector)))

    def concerns(self, path: str, framework: str, app: Made | None, at: str) -> bool:
        """Whether a settings file belongs to an application (without one: to that nearest to the file `at`): no other is nearer to it."""
        homes = sorted({made.home.file for made in self.apps.get(framework, ())})
        if len(homes) < 2:
            return True
        own = app.home.file if app is not None else _nearest(at, homes)
        return _shared(path, own) >= max(_shared(path, home) for home in homes)

    def hidden(self, app: Made, spec: Spec) -> Place | None:
        """Where the settings of an application arrive by a mapping that was not resolved: `app.conf.update(**config)`."""
        path = app.home.file
        for ending in spec.mappings if spec.settings else ():
            for index, site in self._code.part(path).sites_by_name.get(ending.rpartition(".")[2], ()):
                made = Made(site.call, Home(path, index))
                if dotted(site.call.func).endswith(ending) and self._may_hold(made, spec):
                    return Place(path, site.call.start, site.call.end)
        return None

    def _may_hold(self, made: Made, spec: Spec) -> bool:
        return Options(self._resolver, [made]).first(("0." + spec.settings[0], *spec.settings)) == "maybe"

    def _named_by(self, call: str, selector: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for part in self._code.parts():
            for index, site in part.sites_by_name.get(call, ()):
                answer = Options(self._resolver, [Made(site.call, Home(part.path, index))]).get(selector)
                name = as_text(answer.expr) if isinstance(answer, Hit) else None
                if name:
                    found[f"{name.upper()}_"] = None
        return tuple(found)

    def _files_with(self, prefixes: tuple[str, ...]) -> list[str]:
        return [part.path for part in self._code.parts() if prefixes and _has_setting(part.functions[0], prefixes)]

    def _assigned(self, keys: tuple[str, ...], prefixes: tuple[str, ...]) -> tuple[Assigned, ...]:
        below: dict[str, list[str]] = {}  # by the spelling of a key: the keys that it is, or is the head of
        for key in keys:
            head = key.partition(".")[0]
            for spelled in (head, *(f"{prefix}{head}".upper() for prefix in prefixes)):
                below.setdefault(spelled, []).append(key)
        holding = set(self._code.words.holding_any(below))
        found: list[Assigned] = []
        for part in self._code.parts() if holding else ():
            if part.path in holding and not is_development(part.path):
                for one in _in_part(part, below):
                    for key in below[one.key]:
                        found.extend(self._inside(one, key) if "." in key else (one,))
        return tuple(found)

    def _veiled(self, keys: tuple[str, ...]) -> Place | None:
        """Where a mapping that dotted keys name may hold more than is written in it: `{**more}`, `Q_CLUSTER.update(..)`, `make()`."""
        for head, _, rest in (key.partition(".") for key in keys if "." in key):
            word = rest.partition(".")[0]
            named = r"""['"]\w+['"]""" if word == "*" else f"['\"]{word}['\"]"
            filled = re.compile(rf"\b{head}(?:\[{named}\]\s*=[^=]|\.update\()".encode())
            for one in self.assigned((head,), ()):
                is_open = word != "*" and Options(self._resolver, []).entry(one.hit, word) == "maybe"
                if is_open or any(filled.search(self._code.text(path)) for path in self._code.words.holding(head)):
                    return one.place
        return None

    def _inside(self, outer: Assigned, key: str) -> Iterator[Assigned]:
        """The entries of a mapping that a dotted key names: `Q_CLUSTER.timeout`, `RQ_QUEUES.*.DEFAULT_TIMEOUT` (of any queue)."""
        options, hits = Options(self._resolver, []), [outer.hit]
        for word in key.split(".")[1:]:
            answers = [options.entry(hit, word) for hit in hits] if word != "*" else [each for hit in hits for each in _values(hit)]
            hits = [answer for answer in answers if isinstance(answer, Hit)]
        for hit in hits:
            yield Assigned(key, hit, hit.place, outer.sure)

    def installed(self, spec: Timeout) -> Setting | None:
        """What limits every job wherever it is made: a middleware with a limit of its own."""
        found: list[Setting] = []
        for symbol, selector in spec.installed.items():
            for part in [part for part in self._code.parts() if not is_development(part.path)]:
                for index, site in part.sites_by_name.get(symbol.rpartition(".")[2], ()):
                    value, made = self._resolver.resolve(part.path, index, site.call.func), Made(site.call, Home(part.path, index))
                    if value is not None and value.path == symbol:
                        setting = read(self._resolver, Options(self._resolver, [made]).get(selector), spec)
                        found += [setting] if setting is not None else []
        return next((setting for setting in found if not is_endless(setting)), next(iter(found), None))


def _values(hit: Hit) -> list[Hit]:
    """The values of a literal mapping."""
    items = hit.expr.items if isinstance(hit.expr, Group) else ()
    return [Hit(item.value, hit.home) for item in items if isinstance(item, Pair)]


def _in_part(part: Part, wanted: Container[str]) -> Iterator[Assigned]:
    for index, function in enumerate(part.functions):
        if _DEBUG.match(function.name) and function.kind == "class":
            continue
        for step in function.steps:
            for key, value, owner in _entries(step):
                if key in wanted and (not key.islower() or _is_for_settings(function, owner)):
                    yield Assigned(
                        key, Hit(value, Home(part.path, index)), Place(part.path, value.start, value.end), _is_sure(function, step)
                    )


def _entries(step: Step) -> Iterator[tuple[str, Expr, str]]:
    """Keys with their values that a statement sets, and what takes them ("": the scope itself): names, attributes, items, arguments."""
    if step.value is None:
        return
    taken = ""
    for target in step.targets if step.kind == "assign" else ():
        if isinstance(target, Ref):
            owner, _, name = target.name.rpartition(".")
            taken = taken or target.name
            yield name, step.value, owner
        elif isinstance(target, Index) and isinstance(target.key, Literal_):
            yield str(target.key.value), step.value, dotted(target.base)
    yield from _given(step.value, taken or f"{step.kind} a value")


def _given(value: Expr, owner: str) -> Iterator[tuple[str, Expr, str]]:
    """The keyword arguments and the entries of literal mappings in a value, each with the call around it, else with `owner`."""
    parts = list(walk(value))
    calls = [(one.start, one.end, dotted(one.func)) for one in parts if isinstance(one, Call)]
    for expr in parts:
        if isinstance(expr, Call):
            yield from ((arg.name, arg.value, f"{owner} {dotted(expr.func)}") for arg in expr.args if arg.name)
        elif isinstance(expr, Group):
            around = " ".join([owner, *(name for start, end, name in calls if start <= expr.start and expr.end <= end)])
            yield from ((str(i.key.value), i.value, around) for i in expr.items if isinstance(i, Pair) and isinstance(i.key, Literal_))


def _is_for_settings(function: Function, owner: str) -> bool:
    """Whether a key that is a plain word is a setting where it stands, and no field, status or argument of that name."""
    if function.kind == "class" and not owner:
        return _CONFIGURES.search(function.name) is not None
    if not owner:
        return function.kind == "module"
    return _CONFIGURES.search(f"{owner} {function.name}") is not None


def _is_sure(function: Function, step: Step) -> bool:
    return all(block.kind in ("body", "try", "with") for block in enclosing(function, step.block))


def _has_setting(module: Function, prefixes: tuple[str, ...]) -> bool:
    return any(isinstance(t, Ref) and t.name.startswith(prefixes) for step in module.steps for t in step.targets)


@lru_cache(maxsize=65536)
def _shared(one: str, other: str) -> int:
    """How many leading folders two paths share."""
    return len([a for a, b in zip(posixpath.dirname(one).split("/"), posixpath.dirname(other).split("/"), strict=False) if a == b])


def _nearest(path: str, homes: list[str]) -> str:
    return max(homes, key=lambda home: (_shared(path, home), home))
