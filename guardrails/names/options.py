"""The arguments of a call by selector: by name, by position, by a key of a mapping argument; through `**` and variables.

`timeout()` selects the first argument of the call of that name in a builder's chain; `a|b` is the first of two that is there."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Attr, Await, Call, Closure, Comp, Expr, Group, Literal_, Pair, Spread, dotted
from guardrails.place import Place


class Hit(msgspec.Struct, frozen=True):
    """An argument's expression and the function in which it stands."""

    expr: Expr
    home: Home

    @property
    def place(self) -> Place:
        """Where the argument stands."""
        return Place(self.home.file, self.expr.start, self.expr.end)


class Made(msgspec.Struct, frozen=True):
    """A call and the function in which it stands."""

    call: Call
    home: Home

    @property
    def place(self) -> Place:
        """Where the call stands."""
        return Place(self.home.file, self.call.start, self.call.end)


_SPREADS = 8  # mappings that spread others, which may be themselves: `headers = {**headers, ..}`
Answer: TypeAlias = Hit | Literal["maybe"] | None


def chain(made: Made) -> list[Made]:
    """The call and the calls in the chain before it: `a.b(1).c(2)` gives c(2), b(1)."""
    found, expr = [made], made.call.func
    while isinstance(expr, Attr | Await | Call):
        if isinstance(expr, Call):
            found.append(Made(expr, made.home))
            expr = expr.func
        else:
            expr = expr.base if isinstance(expr, Attr) else expr.value
    return found


class Options:
    """Looks selectors up in one or more calls, the first call that has the argument wins."""

    def __init__(self, resolver: Resolver, calls: list[Made]) -> None:
        self._resolver, self.calls = resolver, calls

    def first(self, selectors: tuple[str, ...]) -> Answer:
        """The first selector that is there; else "maybe" where one may be hidden; else None."""
        answers = [self.get(selector) for selector in selectors]
        return next((a for a in answers if isinstance(a, Hit)), "maybe" if "maybe" in answers else None)

    def get(self, selector: str) -> Answer:
        """One selector."""
        if "|" in selector:
            return self.first(tuple(selector.split("|")))
        answers = [self._in(made, selector) for made in self.calls]
        return next((a for a in answers if isinstance(a, Hit)), "maybe" if "maybe" in answers else None)

    def _in(self, made: Made, selector: str) -> Answer:
        head, *keys = selector.split(".")
        if head.endswith("()"):
            return self._positional(made, 0) if dotted(made.call.func).rpartition(".")[2] == head[:-2] else None
        answer = self._positional(made, int(head)) if head.isdigit() else self._named(made, head)
        for key in keys:
            if isinstance(answer, Hit):
                answer = self._item(answer) if key == "*" else self.entry(answer, key)
        return answer

    def _item(self, hit: Hit) -> Answer:
        """Any item of a list: its first, a comprehension's element, what the function of a `.map(..)` returns."""
        expr = hit.expr
        if isinstance(expr, Group):
            return Hit(expr.items[0], hit.home) if expr.items else None
        if isinstance(expr, Comp):
            return Hit(expr.element, hit.home)
        if isinstance(expr, Call) and expr.args and isinstance(expr.args[0].value, Closure):
            home = Home(hit.home.file, expr.args[0].value.function)
            steps = [step for step in self._resolver.definition(home).steps if step.kind == "return" and step.value is not None]
            return Hit(steps[0].value, home) if steps and steps[0].value is not None else "maybe"
        return "maybe"

    def _positional(self, made: Made, index: int) -> Answer:
        count = 0
        for arg in made.call.args:
            if arg.splat == "*":
                return "maybe"
            if arg.name or arg.splat:
                continue
            if count == index:
                return Hit(arg.value, made.home)
            count += 1
        return None

    def _named(self, made: Made, name: str, depth: int = 0) -> Answer:
        answer: Answer = None
        for arg in made.call.args:
            if arg.name == name:
                return Hit(arg.value, made.home)
            if arg.splat == "**":
                hidden = self.entry(Hit(arg.value, made.home), name, depth)
                answer = hidden or answer
                if isinstance(hidden, Hit):
                    return hidden
        return answer

    def entry(self, hit: Hit, key: str, depth: int = 0) -> Answer:
        """A key of a mapping: a literal one, a variable that holds one (also when filled by `d[key] = ..`), `dict(..)`."""
        group, home = self._mapping(hit)
        if isinstance(group, Call):
            return self._named(Made(group, home), key, depth + 1) if depth < _SPREADS else "maybe"
        if not isinstance(group, Group):
            return None if isinstance(hit.expr, Literal_) else "maybe"
        answer: Answer = None
        for item in group.items:
            if isinstance(item, Pair) and isinstance(item.key, Literal_) and item.key.value == key:
                return Hit(item.value, home)
            if isinstance(item, Spread):
                inner = self.entry(Hit(item.value, home), key, depth + 1) if depth < _SPREADS else "maybe"
                if isinstance(inner, Hit):
                    return inner
                answer = inner or answer
        return answer or self._filled(hit, key)

    def _mapping(self, hit: Hit) -> tuple[Expr | None, Home]:
        if isinstance(hit.expr, Group):
            return hit.expr, hit.home
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        if value is None or value.made_in is None:
            return None, hit.home
        if isinstance(value.made, Group) or (isinstance(value.made, Call) and value.path == "dict()"):
            return value.made, value.made_in
        return None, hit.home

    def _filled(self, hit: Hit, key: str) -> Answer:
        name = getattr(hit.expr, "name", "")
        for step in self._resolver.definition(hit.home).steps if name else ():
            for target in step.targets:
                base, index = getattr(target, "base", None), getattr(target, "key", None)
                if getattr(base, "name", None) == name and getattr(index, "value", None) == key and step.value is not None:
                    return Hit(step.value, hit.home)
        merged = [site.call for site in self._resolver.definition(hit.home).sites if name and dotted(site.call.func) == f"{name}.update"]
        for call in merged:
            inner = self.entry(Hit(call.args[0].value, hit.home), key) if call.args else self._named(Made(call, hit.home), key)
            if inner is not None:
                return inner
        return None

    def selected(self, selectors: tuple[str, ...], beside: tuple[str, ...] = ()) -> list[tuple[str, Hit]]:
        """The arguments that payload selectors name: `*` all, `rest` all but `beside`; each with its name or position."""
        found: list[tuple[str, Hit]] = []
        for selector in selectors:
            if selector in ("*", "rest"):
                found.extend(self._all(self.calls[0], beside if selector == "rest" else ()))
                continue
            answer = self.get(selector)
            if isinstance(answer, Hit):
                found.extend(self._spread(selector, answer))
        return found

    def _all(self, made: Made, beside: tuple[str, ...]) -> list[tuple[str, Hit]]:
        found: list[tuple[str, Hit]] = []
        position = 0
        for arg in made.call.args:
            name = arg.name or (str(position) if not arg.splat else arg.splat)
            position += not arg.name and not arg.splat
            if name in beside:
                continue
            found.extend(self._spread(name, Hit(arg.value, made.home)) if arg.splat else [(name, Hit(arg.value, made.home))])
        return found

    def _spread(self, name: str, hit: Hit) -> list[tuple[str, Hit]]:
        """The items of a literal tuple, list or dict of arguments; the expression itself when it is none."""
        group, home = self._mapping(hit)
        if isinstance(group, Group) and group.kind in ("list", "tuple", "dict"):
            filled = self._fills(hit) if group.kind == "dict" else []
            return [
                (_label(item, name), Hit(item.value if isinstance(item, Pair | Spread) else item, home)) for item in group.items
            ] + filled
        return [(name, hit)]

    def _fills(self, hit: Hit) -> list[tuple[str, Hit]]:
        name = getattr(hit.expr, "name", "")
        found = []
        for step in self._resolver.definition(hit.home).steps if name else ():
            for target in step.targets:
                key = getattr(getattr(target, "key", None), "value", None)
                if getattr(getattr(target, "base", None), "name", None) == name and isinstance(key, str) and step.value is not None:
                    found.append((key, Hit(step.value, hit.home)))
        return found


def _label(item: Expr, name: str) -> str:
    return str(item.key.value) if isinstance(item, Pair) and isinstance(item.key, Literal_) else name
