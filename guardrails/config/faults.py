"""What is wrong with a configuration: where, and one sentence."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from guardrails.config.lines import Path_
from guardrails.config.settings import Config, Override
from guardrails.finding import CONFIDENCES, SEVERITIES
from guardrails.paths import pattern_fault

Rules: TypeAlias = Mapping[str, Collection[str]]  # the names of rules, with the names of their options

_LISTS_OF_RULES = ("select", "ignore")
_LISTS_OF_PATTERNS = ("exclude", "paths")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "fail_on": (*SEVERITIES, "never"),
    "confidence": CONFIDENCES,
    "tests": ("skip", "report"),
}


def faults(value: object, rules: Rules) -> Iterator[tuple[Path_, str]]:
    """Everything that is wrong with the settings: where, and one sentence."""
    if not isinstance(value, dict):
        yield (), f"the settings are {_kind(value)}; write them as keys with values"
        return
    yield from _faults_of_table(value, Config, (), rules)


def _faults_of_table(table: Mapping[Any, Any], shape: type[msgspec.Struct], at: Path_, rules: Rules) -> Iterator[tuple[Path_, str]]:
    known = shape.__struct_fields__
    for key, value in table.items():
        where = (*at, str(key))
        if key not in known:
            yield where, f"unknown setting {str(key)!r}; {near(str(key), known)}"
        elif key == "overrides":
            yield from _faults_of_overrides(value, where, rules)
        elif key == "severity":
            yield from _faults_of_severity(value, where, rules)
        elif key == "options":
            yield from _faults_of_options(value, where, rules)
        elif key in _CHOICES:
            if value not in _CHOICES[key]:
                yield where, f"{key} is {_show(value)}; use one of {', '.join(_CHOICES[key])}"
        elif key == "pedantic":
            if not isinstance(value, bool):
                yield where, f"{key} is {_kind(value)}; use true or false"
        else:
            yield from _faults_of_names(key, value, where, rules)


def _faults_of_names(key: str, value: object, at: Path_, rules: Rules) -> Iterator[tuple[Path_, str]]:
    if not isinstance(value, list):
        yield at, f"{key} is {_kind(value)}; write a list of texts"
        return
    for item in value:
        if not isinstance(item, str):
            yield at, f"{key} holds {_kind(item)}; write a list of texts"
        elif not item.strip():
            yield at, f"{key} holds an empty text; take it out"
        elif key in _LISTS_OF_RULES and item not in rules:
            yield (*at, item), f"unknown rule {item!r} in {key}; {near(item, rules)}"
        elif key in _LISTS_OF_PATTERNS and (what := pattern_fault(item)):
            yield (*at, item), f"{item!r} in {key} {what}; write a simpler one"


def _faults_of_severity(value: object, at: Path_, rules: Rules) -> Iterator[tuple[Path_, str]]:
    if not isinstance(value, dict):
        yield at, f"severity is {_kind(value)}; write a table of rule = level (the gate is fail_on)"
        return
    for rule, level in value.items():
        if rule not in rules:
            yield (*at, str(rule)), f"unknown rule {str(rule)!r} in severity; {near(str(rule), rules)}"
        elif level not in SEVERITIES:
            yield (*at, rule), f"severity of {rule} is {_show(level)}; use one of {', '.join(SEVERITIES)}"


def _faults_of_options(value: object, at: Path_, rules: Rules) -> Iterator[tuple[Path_, str]]:
    if not isinstance(value, dict):
        yield at, f"options is {_kind(value)}; write a table a rule: option = number"
        return
    for rule, table in value.items():
        where = (*at, str(rule))
        if rule not in rules:
            yield where, f"unknown rule {str(rule)!r} in options; {near(str(rule), rules)}"
        elif not isinstance(table, dict):
            yield where, f"the options of {rule} are {_kind(table)}; write a table: option = number"
        else:
            for option, number in table.items():
                if option not in rules[rule]:
                    known = near(str(option), rules[rule]) if rules[rule] else "it has none"
                    yield (*where, str(option)), f"unknown option {str(option)!r} of {rule}; {known}"
                elif isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < float("inf"):
                    yield (*where, option), f"option {option} of {rule} is {number!r}; write a number that is not negative"


def _faults_of_overrides(value: object, at: Path_, rules: Rules) -> Iterator[tuple[Path_, str]]:
    if not isinstance(value, list):
        yield at, f"overrides is {_kind(value)}; write a list of tables, each with paths"
        return
    for index, item in enumerate(value):
        where = (*at, index)
        if not isinstance(item, dict):
            yield where, f"an override is {_kind(item)}; write a table with paths"
            continue
        yield from _faults_of_table(item, Override, where, rules)
        if "paths" not in item:
            yield where, "an override has no paths; say which files it is for"


def _show(value: object) -> str:
    return repr(value) if isinstance(value, str) else _kind(value)


def _kind(value: object) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table", type(None): "empty"}
    return names.get(type(value), "of an unknown kind")


def near(word: str, words: Collection[str]) -> str:
    """What was probably meant, as the end of a sentence: `did you mean X?`, else a list of what is known."""
    from difflib import get_close_matches

    spelled = {re.sub(r"[-_ ]", "-", known).lower(): known for known in words}
    close = get_close_matches(re.sub(r"[-_ ]", "-", word).lower(), spelled, n=1, cutoff=0.6)
    if close:
        return f"did you mean {spelled[close[0]]}?"
    return "`guardrails rules` lists them" if len(words) > 15 else f"known are {', '.join(words)}"
