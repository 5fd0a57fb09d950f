"""Values of names, and the small readings of expressions that resolution needs."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from guardrails.names.code import Part
from guardrails.outline import Expr, Group, Index, Op, Pair, Ref, Spread, Step, walk

WRAPPERS = frozenset("Optional Option Annotated Final ClassVar Arc Rc Box Readonly Promise Awaitable Depends State Extension".split())
MANY = frozenset("list List Sequence Iterable Iterator set Set tuple Tuple QuerySet Collection Vec Array AsyncIterator Generator".split())


class Home(msgspec.Struct, frozen=True, order=True):
    """A definition in the project: function 0 is the module itself."""

    file: str
    function: int


class Value(msgspec.Struct, frozen=True):
    """What an expression means. `made` is the call that made it, or the literal that it is, with where that stands.

    `element` is the project's class whose instances a collection holds.
    """

    path: str
    home: Home | None = None
    instance: bool = False
    made: Expr | None = None
    made_in: Home | None = None
    element: Home | None = None


def scopes(part: Part, function: int) -> Iterator[int]:
    """The functions whose names can be seen, inside out: a class's names only from its own body."""
    scope = function
    while scope >= 0:
        if scope == function or part.functions[scope].kind != "class":
            yield scope
        scope = part.functions[scope].parent


def names_in(target: Expr) -> list[str]:
    """The names that a target binds."""
    if isinstance(target, Ref):
        return [target.name]
    if isinstance(target, Pair | Spread):
        return names_in(target.value)
    if isinstance(target, Group):
        return [name for item in target.items for name in names_in(item)]
    return []


def unsubscripted(expr: Expr) -> Expr:
    """`Generic` of `Generic[T]`."""
    return expr.base if isinstance(expr, Index) else expr


def yielded(step: Step) -> Expr | None:
    """The first value that a statement yields."""
    for expr in walk(step.value) if step.value is not None else ():
        if isinstance(expr, Op) and expr.op == "yield" and expr.parts:
            return expr.parts[0]
    return None
