"""How often a clock ticks: seconds between two ticks, of an interval, a cron line, cron fields, a call that takes them."""

from __future__ import annotations

import re
from itertools import pairwise

from guardrails.names.evaluate import as_text, evaluate
from guardrails.names.options import Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.outline import Arg, Call, Group, Literal_

_UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0, "days": 86400.0, "weeks": 604800.0, "milliseconds": 0.001}
_FIELDS = ("second", "minute", "hour", "day", "weekday", "month")
_NAMES = {
    "day_of_month": "day", "day_of_week": "weekday", "dow": "weekday", "dom": "day", "week_day": "weekday", "month_of_year": "month",
    "week": "weekday", **{name: name for name in _FIELDS},
}  # fmt: skip
_LINE = ("minute", "hour", "day", "month", "weekday")
_SIZES = {"second": 60, "minute": 60, "hour": 24}
_CLOCKS = ("cron", "interval", "run_every", "every", "schedule", "trigger")
_DAY = 86400.0
_DEEPEST = 4


def of_call(resolver: Resolver, made: Made, clock: str) -> float | None:
    """The period that a call's own arguments say: `minutes=5`, `minute="*/5"`; None where they do not tell."""
    options = Options(resolver, [made])
    total, known = 0.0, False
    for name, unit in _UNITS.items():
        answer = options.get(name)
        number = _number(resolver, answer) if isinstance(answer, Hit) else None
        total, known = total + unit * (number or 0.0), known or number is not None
    if known:
        return total or None
    fields = {
        _NAMES[arg.name]: value for arg in made.call.args if arg.name in _NAMES and (value := _field(resolver, made, arg)) is not None
    }
    return of_fields(fields, clock) if fields else None


def of(resolver: Resolver, hit: Hit, clock: str, depth: int = 0) -> float | None:
    """The period that an expression says, in seconds."""
    if depth > _DEEPEST:
        return None
    expr, home = hit.expr, hit.home
    if isinstance(expr, Group):
        return _of_group(resolver, hit, clock, depth)
    constant = evaluate(resolver, hit)
    if constant is not None:
        return of_line(constant.value) if isinstance(constant.value, str) else _positive(constant.value)
    if isinstance(expr, Call):
        return _of_clock(resolver, Made(expr, home), clock, depth)
    value = resolver.resolve(home.file, home.function, expr)
    if value is None or value.made is None or value.made_in is None or value.made == expr:
        return None
    return of(resolver, Hit(value.made, value.made_in), clock, depth + 1)


def _of_clock(resolver: Resolver, made: Made, clock: str, depth: int) -> float | None:
    own = of_call(resolver, made, clock)
    if own is not None:
        return own
    options = Options(resolver, [made])
    for selector in ("0", *_CLOCKS):
        answer = options.get(selector)
        text = as_text(answer.expr) if isinstance(answer, Hit) else None
        if text is not None and " " not in text.strip():
            return of_fields({"minute": text}, clock)
        if isinstance(answer, Hit):
            return of(resolver, answer, clock, depth + 1)
    return 60.0 if not made.call.args and clock == "every" else None


def _of_group(resolver: Resolver, hit: Hit, clock: str, depth: int) -> float | None:
    """`[{"cron": ".."}]`, `{"interval": 60}`."""
    assert isinstance(hit.expr, Group)
    if hit.expr.kind != "dict":
        found = [of(resolver, Hit(item, hit.home), clock, depth + 1) for item in hit.expr.items[:20]]
        known = [one for one in found if one is not None]
        return min(known) if known and len(known) == len(found) else None
    answers = [Options(resolver, []).entry(hit, name) for name in _CLOCKS]
    answer = next((one for one in answers if isinstance(one, Hit)), None)
    return of(resolver, answer, clock, depth + 1) if answer is not None else None


def _number(resolver: Resolver, hit: Hit) -> float | None:
    constant = evaluate(resolver, hit)
    return _positive(constant.value) if constant is not None else None


def _positive(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def _field(resolver: Resolver, made: Made, arg: Arg) -> str | None:
    """A cron field as text; a set of numbers as its list."""
    if isinstance(arg.value, Group):
        values = [item.value for item in arg.value.items if isinstance(item, Literal_)]
        return ",".join(map(str, values)) if len(values) == len(arg.value.items) and values else None
    constant = evaluate(resolver, Hit(arg.value, made.home))
    if constant is None or constant.value is None or isinstance(constant.value, bool):
        return None
    return str(constant.value)


def of_line(line: str) -> float | None:
    """The period of a cron line of five fields, or of six that begin with seconds; of `@hourly` and its like."""
    named = {"@hourly": 3600.0, "@daily": _DAY, "@midnight": _DAY, "@weekly": 7 * _DAY, "@monthly": 28 * _DAY, "@yearly": 365 * _DAY}
    fields = line.split()
    if line.strip() in named or len(fields) not in (5, 6):
        return named.get(line.strip())
    seconds = fields[:1] if len(fields) == 6 else []
    said = dict(zip(_LINE, fields[len(seconds) :], strict=True))
    return of_fields({**said, "second": seconds[0]} if seconds else said, "every")


def of_fields(fields: dict[str, str], clock: str) -> float | None:
    """The shortest time between two ticks of cron fields, at least a day where only one hour is given."""
    finest = next((index for index, name in enumerate(_FIELDS) if name in fields), 0)
    found: dict[str, list[int]] = {}
    for name, size in _SIZES.items():
        text = fields.get(name, "*" if name != "second" and (clock == "every" or _FIELDS.index(name) > finest) else "0")
        values = _values(text, size)
        if values is None:
            return None
        found[name] = values
    if len(found["second"]) > 1:
        return float(_gap(found["second"], 60, len(found["minute"]) == 60))
    if len(found["minute"]) > 1:
        return 60.0 * _gap(found["minute"], 60, len(found["hour"]) > 1)
    return 3600.0 * _gap(found["hour"], 24, True) if len(found["hour"]) > 1 else _DAY


def _gap(values: list[int], size: int, around: bool) -> int:
    gaps = [b - a for a, b in pairwise(values)]
    return min([*gaps, values[0] + size - values[-1]] if around or not gaps else gaps)


def _values(text: str, size: int) -> list[int] | None:
    """The values of one cron field, sorted; None for what cannot be read."""
    found: set[int] = set()
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,3}))?", part)
        if match is None or match[3] == "0":
            return None
        first, last, step = int(match[1] or 0), match[2], int(match[3] or 1)
        end = int(last) if last else size - 1 if match[1] is None or match[3] else first
        found.update(range(first, min(end, size - 1) + 1, step))
    return sorted(value for value in found if value < size) or None
