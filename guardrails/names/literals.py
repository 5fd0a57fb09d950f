"""What lies in literal lists and mappings: entries, elements, items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from guardrails.names.values import Value
from guardrails.outline import Comp, Expr, Group, Index, Literal_, Other, Pair, Ref

if TYPE_CHECKING:
    from guardrails.names.resolve import Resolver


def entry(r: Resolver, value: Value, name: str) -> Value | None:
    """The value of a key of a literal mapping."""
    if isinstance(value.made, Group) and value.made_in is not None:
        for item in value.made.items:
            if isinstance(item, Pair) and isinstance(item.key, Literal_) and item.key.value == name:
                return r.resolve(value.made_in.file, value.made_in.function, item.value)
    return None


def any_entry(r: Resolver, value: Value) -> Value | None:
    """Any value of a literal mapping that is used as a registry, also of one that is filled entry by entry."""
    for item in value.made.items if isinstance(value.made, Group) and value.made_in is not None else ():
        if isinstance(item, Pair) and value.made_in is not None:
            found = r.resolve(value.made_in.file, value.made_in.function, item.value)
            if found is not None and found.home is not None:
                return found
    return _filled(r, value)


def _filled(r: Resolver, value: Value) -> Value | None:
    """The first definition that is put into a mapping where that is made: `REGISTRY["order"] = OrderSerializer`."""
    if value.made_in is None or not isinstance(value.made, Group) or value.made.items:
        return None
    steps = r.definition(value.made_in).steps
    names = {target.name for step in steps if step.value is value.made for target in step.targets if isinstance(target, Ref)}
    for step in steps if names else ():
        for target in step.targets:
            if isinstance(target, Index) and isinstance(target.base, Ref) and target.base.name in names and step.value is not None:
                found = r.resolve(value.made_in.file, value.made_in.function, step.value)
                if found is not None and found.home is not None:
                    return found
    return None


def item(r: Resolver, base: Value, key: Expr) -> Value | None:
    """What an index gives."""
    if isinstance(base.made, Group) and base.path == "<group>":
        return entry(r, base, key.value) if isinstance(key, Literal_) and isinstance(key.value, str) else any_entry(r, base)
    if isinstance(key, Literal_) and isinstance(key.value, str):
        return msgspec.structs.replace(base, path=f"{base.path}[{key.value!r}]", home=None)
    if isinstance(key, Literal_) and isinstance(key.value, int):
        return msgspec.structs.replace(base, path=f"{base.path}[{key.value}]", home=None)
    if isinstance(key, Other):
        return base
    return element(r, base)


def element(r: Resolver, value: Value) -> Value:
    """What iterating gives."""
    if value.path.endswith("()[*]") or value.path.startswith("<"):
        return value if not value.path.startswith("<") else _first_of(r, value)
    return msgspec.structs.replace(value, path=f"{value.path}[*]", home=None)


def _first_of(r: Resolver, value: Value) -> Value:
    items: tuple[Expr, ...] = ()
    if isinstance(value.made, Group):
        items = value.made.items
    elif isinstance(value.made, Comp):
        items = (value.made.element,)
    if value.made_in is not None:
        for item in items:
            found = r.resolve(value.made_in.file, value.made_in.function, item)
            if found is not None:
                return found
    return value
