"""Connections that start-up code opens: who holds them, and whether anything closes them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from guardrails.facts.lifecycle import Opened, Scattered
from guardrails.frameworks.forms.lifecycle import ConnectionForm, StartForm
from guardrails.frameworks.sightings import CallSeen
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit, Made, Options
from guardrails.names.values import Home
from guardrails.outline import Await, Call, Closure, Expr, Function, Index, Ref, Step, dotted, receiver, walk
from guardrails.project.ground import Ground
from guardrails.project.secrets import words_of
from guardrails.project.units import is_development

_ENDS = frozenset("close aclose shutdown stop disconnect dispose cleanup teardown quit release terminate exit drain".split())
_KEEPERS = ("get", "pop", "getattr")
Answer = Literal["yes", "no", "maybe"]


class Opening:
    """Makes facts of connections that are opened at start-up and kept, and of clients that many modules make."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def ends(self) -> Iterator[Home]:
        """Who calls a helper that gives an open connection back matters."""
        return (seen.made.home for seen in self._ground.calls("connections") if self._is_given(seen))

    def facts(self) -> Iterator[Opened | Scattered]:
        """The facts of both families."""
        starts = self._starts
        for seen in self._ground.calls("connections"):
            for home, step in self._kept(seen):
                if home in starts:
                    fact = self._opened(seen, home, step, starts[home])
                    if fact is not None:
                        yield fact
        yield from self._scattered()

    def _is_given(self, seen: CallSeen) -> bool:
        step = self._ground.resolver.definition(seen.made.home).steps[seen.site.step]
        return step.kind == "return" and seen.site.use in ("returned", "awaited")

    def _kept(self, seen: CallSeen) -> Iterator[tuple[Home, Step]]:
        """Where the open connection is kept: in its own function, or in those that call a helper which gives it back."""
        home = seen.made.home
        yield home, self._ground.resolver.definition(home).steps[seen.site.step]
        for edge in self._ground.callers.of(home) if self._is_given(seen) else ():
            site = self._ground.callers.site_of(edge)
            if site is not None:
                yield edge.caller, self._ground.resolver.definition(edge.caller).steps[site.step]

    @cached_property
    def _starts(self) -> dict[Home, StartForm]:
        """The functions that run at start-up."""
        found: dict[Home, StartForm] = {}
        for mark in self._ground.marks("starts"):
            if self._is_start(mark.form, mark.made):
                found[mark.home] = mark.form
        for seen in self._ground.calls("starts"):
            if self._is_start(seen.form, seen.made):
                options = Options(self._ground.resolver, [seen.made])
                hits = [hit for selector in seen.form.function if isinstance(hit := options.get(selector), Hit)]
                found.update((home, seen.form) for hit in hits if (home := self._function(hit)) is not None)
        found.update(self._listed())
        return found

    def _is_start(self, form: StartForm, made: Made | None) -> bool:
        if not form.event:
            return True
        answer = Options(self._ground.resolver, [made]).get(form.event) if made is not None else None
        name = (as_text(answer.expr) or dotted(answer.expr)) if isinstance(answer, Hit) else ""
        return name.endswith(form.events)

    def _function(self, hit: Hit) -> Home | None:
        if isinstance(hit.expr, Closure):
            return Home(hit.home.file, hit.expr.function)
        value = self._ground.resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        return value.home if value is not None and value.home is not None and value.home.function else None

    def _listed(self) -> Iterator[tuple[Home, StartForm]]:
        """The functions that a settings class names: `on_startup = connect`."""
        forms = [form for model in self._ground.catalogue.models for form in model.starts if form.listed]
        for part in self._ground.parts():
            for index, function in enumerate(part.functions):
                for form in forms if function.kind == "class" and function.name == forms[0].named else ():
                    for step in part.bindings(index).get(form.listed, ()):
                        if isinstance(step, Step) and step.value is not None:
                            home = self._function(Hit(step.value, Home(part.path, index)))
                            if home is not None:
                                yield home, form

    def _opened(self, seen: CallSeen, home: Home, step: Step, start: StartForm) -> Opened | None:
        form: ConnectionForm = seen.form
        call = step.value.value if isinstance(step.value, Await) else step.value
        if seen.site.use in ("entered", "passed", "kept") and home == seen.made.home:
            return None
        if not isinstance(call, Call):
            return None
        names = self._names(home, step, receiver(call) if form.on_receiver else None)
        if not names:
            return None
        at = self._ground.at(seen.model, home, call)
        definition = self._ground.resolver.definition(home)
        return Opened(
            **at, what=form.what, call=dotted(call.func), holder=names[-1], start=definition.name, stop=start.stop,
            close=form.closes[0], closed=self._closed(home, step, set(names), form.closes),
        )  # fmt: skip

    def _names(self, home: Home, step: Step, held: Expr | None) -> list[str]:
        """The last words under which the connection is kept beyond the function; none where it stays inside."""
        definition = self._ground.resolver.definition(home)
        if held is not None:
            return [_last(held)] if _last(held) else []
        names = [_last(target) for target in step.targets]
        outside = [self._outlives(home, target) for target in step.targets]
        for other in definition.steps:
            if other.value is None or not names or other.start <= step.start:
                continue
            if other.kind == "assign" and isinstance(other.value, Ref) and other.value.name in names:
                names += [_last(target) for target in other.targets]
                outside += [self._outlives(home, target) for target in other.targets]
            elif any(isinstance(expr, Ref) and expr.name in names for expr in walk(other.value)) and _yields(other):
                outside.append(True)
        return [name for name in names if name] if any(outside) else []

    def _outlives(self, home: Home, target: Expr) -> bool:
        """It is kept on another object, in a mapping, or in a name of the module."""
        if not isinstance(target, Ref) or "." in target.name:
            return True
        return target.name in self._ground.resolver.part(home).bindings(0)

    def _closed(self, home: Home, step: Step, names: set[str], closes: tuple[str, ...]) -> Answer:
        if self._is_closed(names, closes):
            return "yes"
        return "maybe" if self._ends_elsewhere(home, step) else "no"

    def _is_closed(self, names: set[str], closes: tuple[str, ...]) -> bool:
        """Anything in the files that were read closes something of one of these names, enters it, or hands its `close` on."""
        return any((name, close) in self._closing for name in names for close in (*closes, "__aexit__", "__exit__"))

    @cached_property
    def _closing(self) -> set[tuple[str, str]]:
        """The last word of each receiver with the closing method that is called on it, or handed on."""
        found: set[tuple[str, str]] = set()
        words = {close for model in self._ground.catalogue.models for form in model.connections for close in form.closes}
        for part in self._ground.parts():
            for word in words & part.sites_by_name.keys():
                for index, site in part.sites_by_name[word]:
                    found.update((name, word) for name in _meant(part.functions[index], receiver(site.call)))
            for word in words & part.passed_names.keys():
                for index, ref in part.passed_names[word]:
                    found.update((name, word) for name in _meant(part.functions[index], receiver(ref)))
            for function in part.functions:
                for step in function.steps:
                    if step.kind == "enter" and step.value is not None:
                        found.update((name, "__exit__") for name in _meant(function, step.value))
        return found

    def _ends_elsewhere(self, home: Home, step: Step) -> bool:
        """Clean-up code that was not read, or that closes what it is not told by name, runs after the start."""
        definition = self._ground.resolver.definition(home)
        for site in definition.sites:
            if site.call.start > step.end and _ENDS.intersection(words_of(dotted(site.call.func).rpartition(".")[2])):
                value = self._ground.resolver.resolve(home.file, home.function, site.call.func)
                if value is None or value.home is None or not self._ground.resolver.definition(value.home).sites:
                    return True
        return False

    def _scattered(self) -> Iterator[Scattered]:
        """Clients that are made for one address in several modules."""
        groups: dict[tuple[str, str], dict[str, CallSeen]] = {}
        for seen in self._ground.calls("connections"):
            address = self._address(seen) if seen.form.address and not is_development(seen.made.home.file) else ""
            if address:
                groups.setdefault((seen.form.what, address), {}).setdefault(seen.made.home.file, seen)
        for (what, address), by_file in sorted(groups.items()):
            first, *rest = [by_file[file] for file in sorted(by_file)]
            if rest:
                others = tuple(one.made.place for one in rest)
                at = self._ground.at(first.model, first.made.home, first.made.call)
                yield Scattered(**at, what=what, call=dotted(first.made.call.func), address=address, others=others)

    def _address(self, seen: CallSeen) -> str:
        """The last word of the setting that holds the address: `REDIS_URL`."""
        answer = Options(self._ground.resolver, [seen.made]).first(seen.form.address)
        expr = answer.expr if isinstance(answer, Hit) else None
        name = _last(expr) if expr is not None else ""
        return name if name.isupper() or (name and "." in dotted(expr or Ref(0, 0, ""))) else ""


def _last(expr: Expr | None) -> str:
    """The word under which something is kept: `redis` of `app.state.redis`, `ctx["redis"]`, `ctx.get("redis")`."""
    if isinstance(expr, Await):
        return _last(expr.value)
    if isinstance(expr, Index):
        return as_text(expr.key) or dotted(expr.base).rpartition(".")[2]
    if isinstance(expr, Call):
        texts = [text for arg in expr.args if (text := as_text(arg.value)) is not None]
        name = dotted(expr.func).rpartition(".")[2]
        return texts[0] if texts and (name in _KEEPERS or name.endswith(("getenv", "env", "config"))) else name
    return dotted(expr).rpartition(".")[2] if expr is not None else ""


def _meant(function: Function, expr: Expr | None) -> list[str]:
    """The names that a receiver may have: its own, and that of what it was assigned from in the function."""
    if expr is None:
        return []
    names = [_last(expr)]
    if isinstance(expr, Ref) and "." not in expr.name:
        names += [_last(step.value) for step in function.steps if step.kind in ("assign", "iterate") and _binds(step, expr.name)]
    return names


def _binds(step: Step, name: str) -> bool:
    return any(isinstance(target, Ref) and target.name == name for target in step.targets)


def _yields(step: Step) -> bool:
    return step.kind == "return" or (step.value is not None and any(getattr(expr, "op", "") == "yield" for expr in walk(step.value)))
