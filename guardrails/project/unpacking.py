"""What a payload object is made of: the arguments of its class's call, where a framework sends one object whole."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.frameworks.sightings import EnqueueSeen
from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Call, Closure, Comp, Expr, Group

_DEEPEST = 4


def payload(resolver: Resolver, seen: EnqueueSeen) -> list[tuple[str, Hit]]:
    """The arguments of an enqueue that travel, each with its name or position; those of a payload object in its place."""
    beside = (*seen.form.options, *((seen.form.job,) if seen.form.job else ()))
    found = seen.options.selected(seen.form.payload, beside)
    return [one for name, hit in found for one in _inside(resolver, name, hit, 0)] if seen.form.unpacks else found


def fields(resolver: Resolver, seen: EnqueueSeen) -> dict[str, Hit]:
    """What the fields of the payload object are given, where its class is called with names."""
    return dict(payload(resolver, seen)) if seen.form.unpacks else {}


def returned(resolver: Resolver, home: Home) -> Iterator[Hit]:
    """What a function gives."""
    for step in resolver.definition(home).steps:
        if step.kind == "return" and step.value is not None:
            yield Hit(step.value, home)


def _inside(resolver: Resolver, name: str, hit: Hit, depth: int) -> Iterator[tuple[str, Hit]]:
    """The arguments of the call that made a payload: here, in a variable, in the items of a list, in what a closure gives."""
    inner = _items(resolver, hit) if depth < _DEEPEST else []
    made = _made(resolver, hit)
    if made is not None:
        call, home = made
        yield from ((arg.name or arg.splat or str(at), Hit(arg.value, home)) for at, arg in enumerate(call.args))
    elif inner:
        for one in inner:
            yield from _inside(resolver, name, one, depth + 1)
    else:
        yield name, hit


def _items(resolver: Resolver, hit: Hit) -> list[Hit]:
    expr: Expr | None = hit.expr
    if isinstance(expr, Closure):
        return list(returned(resolver, Home(hit.home.file, expr.function)))
    value = resolver.resolve(hit.home.file, hit.home.function, hit.expr) if not isinstance(expr, Group | Comp) else None
    home = hit.home
    if value is not None and isinstance(value.made, Group | Comp) and value.made_in is not None:
        expr, home = value.made, value.made_in
    if isinstance(expr, Comp):
        return [Hit(expr.element, home)]
    return [Hit(item, home) for item in expr.items] if isinstance(expr, Group) and expr.kind != "dict" else []


def _made(resolver: Resolver, hit: Hit) -> tuple[Call, Home] | None:
    """The call of a class of the project that made it."""
    value = resolver.resolve(hit.home.file, hit.home.function, hit.expr)
    if value is None or value.home is None or not value.instance or value.made_in is None or not isinstance(value.made, Call):
        return None
    func = resolver.resolve(value.made_in.file, value.made_in.function, value.made.func)
    is_class = func is not None and func.home == value.home and resolver.definition(value.home).kind == "class"
    return (value.made, value.made_in) if is_class else None
