"""From an argument's expression to a setting: constants, units, the values that mean never and the values that inherit."""

from __future__ import annotations

import re

from guardrails.facts import NEVER, Known, Setting, Unknown
from guardrails.frameworks.forms.work import Spec
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Answer, Hit
from guardrails.names.resolve import Resolver
from guardrails.place import Place

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def read(resolver: Resolver, answer: Answer, spec: Spec) -> Setting | None:
    """A setting from an answer; None where nobody set it, or a sentinel inherits."""
    if answer is None:
        return None
    if answer == "maybe":
        return Unknown("its options arrive by an argument that was not resolved")
    assert isinstance(answer, Hit)
    place = answer.place
    constant = evaluate(resolver, answer)
    if constant is None:
        return Unknown("its value is only known when it runs", place, "yes")
    return normal(constant.value, spec, place)


def normal(value: object, spec: Spec, place: Place) -> Setting | None:
    """A constant in the setting's terms: seconds of a duration, `NEVER`, None where it inherits."""
    number = _number(value) if isinstance(value, str) and spec.duration else value
    if _is_one_of(number, spec.inherit):
        return None
    if _is_one_of(number, spec.never) or number == NEVER:
        return Known(NEVER, place)
    if not spec.duration:
        return Known(number, place) if number is None or isinstance(number, str | int | float | bool) else None
    if isinstance(number, bool) or not isinstance(number, int | float):
        return Unknown("its value is only known when it runs", place, "yes")
    return Known(number * spec.unit, place)


def is_endless(setting: Setting) -> bool:
    """It is known to have no end."""
    return isinstance(setting, Known) and setting.value == NEVER


def _is_one_of(value: object, values: tuple[object, ...]) -> bool:
    """Among the values of a model; true is not 1 and false is not 0."""
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in values)


def _number(text: str) -> float | str:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd]?)", text.strip())
    return float(match[1]) * _SECONDS[match[2]] if match else text
