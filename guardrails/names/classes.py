"""Classes of the project: their bases, and what a member of one means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from guardrails.names.values import Home, Value, unsubscripted
from guardrails.outline import Function, Literal_, dotted

if TYPE_CHECKING:
    from guardrails.names.resolve import Resolver

_PROPERTIES = frozenset(("property", "cached_property"))


def bases(r: Resolver, home: Home | None) -> Iterator[Home | str]:
    """A class and its bases, nearest first: project classes as homes, foreign ones as paths."""
    if home is not None and not r.definition(home).bases:
        return iter((home,))
    return _bases(r, home)


def _bases(r: Resolver, home: Home | None) -> Iterator[Home | str]:
    todo, seen = [home] if home else [], set()
    foreign: list[str] = []
    while todo:
        one = todo.pop(0)
        if one in seen:
            continue
        seen.add(one)
        yield one
        for base in r.definition(one).bases:
            value = r.resolve(one.file, max(r.definition(one).parent, 0), unsubscripted(base.value)) if not base.name else None
            if value is not None and value.home is not None and r.definition(value.home).kind == "class":
                todo.append(value.home)
            elif value is not None:
                foreign.append(value.path)
    yield from foreign


def member(r: Resolver, value: Value, name: str) -> Value | None:
    """A method, attribute or `self.name` of a class or instance, its bases included."""
    asks = not value.instance and r.queries.is_manager(name)
    for home in bases(r, value.home):
        if isinstance(home, str):
            path = r.spelled(f"{home}{'()' if value.instance else ''}.{name}")
            return msgspec.structs.replace(value, path=path, home=None, instance=False, element=value.home if asks else value.element)
        part = r.part(home)
        method = part.member(home.function, name)
        if method >= 0:
            given = r.returned(Home(home.file, method)) if value.instance and _is_property(part.functions[method]) else None
            return given or Value(r.symbol(Home(home.file, method)), Home(home.file, method), made=value.made, made_in=value.made_in)
        found = part.bindings(home.function).get(name)
        own = r.bound(part, home.function, name, found, part.functions[home.function].end) if found else None
        if found and not (own is not None and isinstance(own.made, Literal_) and own.made.value is None):
            return msgspec.structs.replace(own, element=value.home) if own is not None and asks else own
        for function, step in part.self_steps.get(home.function, {}).get(name, ()):
            bound = r.resolve(part.path, function, step.value) if step.value is not None else None
            if bound is None and step.annotation is not None:
                bound = r.annotated(part, function, step.annotation)
            if bound is not None:
                return bound
        if found:
            return own
    return Value(f"{value.path}.{name}")


def _is_property(function: Function) -> bool:
    """Reading the name calls the function."""
    return any(dotted(decorator).rpartition(".")[2] in _PROPERTIES for decorator in function.decorators)
