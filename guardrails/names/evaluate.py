"""Constants: what an expression comes to where the code alone tells, defaults of environment readers included."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

import msgspec

from guardrails.names.options import Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Call, Choice, Expr, Literal_, Op, Text

Scalar = str | int | float | bool | None
_UNITS = {"weeks": 604800.0, "days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0, "milliseconds": 0.001}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
}  # fmt: skip
_CASTS = frozenset(("int", "float", "str", "bool", "Number", "parseInt", "Number.parseInt", "typing.cast"))
_DEEPEST = 12


class Constant(msgspec.Struct, frozen=True):
    """A value that the code tells, and where it is written; `given`: it is a default that the environment may replace."""

    value: Scalar
    written: Hit
    given: bool = False


def evaluate(resolver: Resolver, hit: Hit, depth: int = 0) -> Constant | None:
    """The constant an expression comes to, None where the code does not tell."""
    expr = hit.expr
    if depth > _DEEPEST:
        return None
    if isinstance(expr, Literal_):
        return Constant(expr.value, hit)
    if isinstance(expr, Op):
        return _operation(resolver, hit, expr, depth)
    if isinstance(expr, Call):
        return _call(resolver, hit, expr, depth)
    if isinstance(expr, Choice):
        yes, no = (evaluate(resolver, Hit(part, hit.home), depth + 1) for part in (expr.yes, expr.no))
        return yes if yes is not None and no is not None and yes.value == no.value else None
    if isinstance(expr, Text):
        return None
    value = resolver.resolve(hit.home.file, hit.home.function, expr)
    if value is not None and value.path in ("math.inf", "Infinity", "Number.POSITIVE_INFINITY"):
        return Constant(math.inf, hit)
    if value is None or value.made is None or value.made_in is None or value.made is expr or value.made == expr:
        return None
    return evaluate(resolver, Hit(value.made, value.made_in), depth + 1)


def _operation(resolver: Resolver, hit: Hit, expr: Op, depth: int) -> Constant | None:
    parts = [evaluate(resolver, Hit(part, hit.home), depth + 1) for part in expr.parts]
    if expr.op in ("or", "??"):
        return next((p for p in parts if p is None or p.value), parts[-1] if parts else None)
    numbers = [p.value for p in parts if p is not None and isinstance(p.value, int | float)]
    if len(numbers) != len(parts) or not numbers:
        return None
    given = any(p is not None and p.given for p in parts)
    if len(numbers) == 1:
        return Constant(-numbers[0], hit, given) if expr.op in ("-", "neg") else None
    act = _ARITHMETIC.get(expr.op)
    if act is None:
        return None
    total: float = numbers[0]
    try:
        for number in numbers[1:]:
            total = act(total, number)
    except (ZeroDivisionError, OverflowError):
        return None
    return Constant(total, hit, given)


def _call(resolver: Resolver, hit: Hit, call: Call, depth: int) -> Constant | None:
    func = resolver.resolve(hit.home.file, hit.home.function, call.func)
    path = func.path if func else ""
    options = Options(resolver, [Made(call, hit.home)])
    if path == "float" and as_text(call.args[0].value if call.args else call) in ("inf", "infinity"):
        return Constant(math.inf, hit)
    if path in _CASTS:
        return _of(resolver, options.get("1" if path == "typing.cast" else "0"), depth)
    if path in ("os.environ.get", "os.getenv"):
        return _default(_of(resolver, options.first(("1", "default")), depth))
    if path in ("datetime.timedelta", "timedelta"):
        return _timedelta(resolver, options, hit, depth)
    if func is not None and func.home is not None and func.home.function > 0:
        return _returned(resolver, func.home, depth)
    return _default(_of(resolver, options.get("default"), depth))


def _of(resolver: Resolver, answer: object, depth: int) -> Constant | None:
    return evaluate(resolver, answer, depth + 1) if isinstance(answer, Hit) else None


def _default(constant: Constant | None) -> Constant | None:
    return Constant(constant.value, constant.written, given=True) if constant else None


def _timedelta(resolver: Resolver, options: Options, hit: Hit, depth: int) -> Constant | None:
    total = 0.0
    for name, unit in _UNITS.items():
        answer = options.get(name)
        constant = _of(resolver, answer, depth)
        if answer is not None and (constant is None or not isinstance(constant.value, int | float)):
            return None
        total += unit * constant.value if constant is not None and isinstance(constant.value, int | float) else 0.0
    return Constant(total, hit) if total else None


def _returned(resolver: Resolver, home: Home, depth: int) -> Constant | None:
    definition = resolver.definition(home)
    found = [
        evaluate(resolver, Hit(step.value, home), depth + 1)
        for step in definition.steps
        if step.kind == "return" and step.value is not None
    ]
    first = found[0] if found else None
    return first if first is not None and all(f is not None and f.value == first.value for f in found) else None


def as_text(expr: Expr) -> str | None:
    """The text of a string literal."""
    return expr.value if isinstance(expr, Literal_) and isinstance(expr.value, str) else None
