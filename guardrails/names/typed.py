"""What annotations say, and what a framework passes to a closure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from guardrails.names.code import Part
from guardrails.names.values import MANY, WRAPPERS, Value
from guardrails.outline import Closure, Expr, Group, Index, Literal_, Op, Other, Ref

if TYPE_CHECKING:
    from guardrails.names.resolve import Resolver


def annotated(r: Resolver, part: Part, scope: int, annotation: Expr) -> Value | None:
    """An instance of the annotated type; an element path for collections of it; None for what is no class."""
    match annotation:
        case Ref():
            value = r.resolve(part.path, max(scope, 0), annotation)
            if value is None or value.instance:
                return value
            return msgspec.structs.replace(value, path=r.spelled(f"{value.path}()"), instance=True)
        case Index():
            head = getattr(annotation.base, "name", "").rpartition(".")[2]
            inner = annotation.key.items[0] if isinstance(annotation.key, Group) and annotation.key.items else annotation.key
            if head in ("Type", "type"):
                return r.resolve(part.path, max(scope, 0), inner) if isinstance(inner, Ref) else None
            if head in WRAPPERS or head == "Union":
                return annotated(r, part, scope, inner)
            value = annotated(r, part, scope, inner if head in MANY else annotation.base)
            if value is not None and head in MANY:
                return msgspec.structs.replace(value, path=f"{value.path}[*]", instance=False, home=None, element=value.home)
            return value
        case Op(op="|"):
            parts = [p for p in annotation.parts if not (isinstance(p, Literal_) and p.value is None)]
            return annotated(r, part, scope, parts[0]) if parts else None
        case Literal_() | Other():
            return None
        case _:
            return None


def given(r: Resolver, part: Part, closure: int) -> Value | None:
    """What a framework passes to a closure: told by the type of the variable, or by the call, that takes it."""
    outer = max(part.functions[closure].parent, 0)
    for step in part.functions[outer].steps:
        if step.annotation is not None and isinstance(step.value, Closure) and step.value.function == closure:
            typed = annotated(r, part, outer, step.annotation)
            return _callback(r, typed.path.removesuffix("()")) if typed is not None else None
    for site in part.functions[outer].sites if r.callbacks else ():
        if any(isinstance(arg.value, Closure) and arg.value.function == closure for arg in site.call.args):
            taker = r.resolve(part.path, outer, site.call.func)
            return _callback(r, taker.path) if taker is not None else None
    return None


def _callback(r: Resolver, path: str) -> Value | None:
    given = r.callbacks.get(path)
    return Value(given, instance=True) if given is not None else None
