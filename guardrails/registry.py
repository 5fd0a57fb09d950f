"""The checks, by the name of their rule: a module each in `guardrails.checks`, with one function `check`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec

from guardrails import checks, facts
from guardrails.finding import Finding, Unsure


class Check(msgspec.Struct, frozen=True):
    """A check, the facts that it is subscribed to, and whether it wants the project."""

    rule: str
    run: Callable[..., Iterable[Finding | Unsure]]
    subscribed: tuple[type[facts.Fact], ...]
    wants_project: bool


@cache
def check_of(rule: str) -> Check | None:
    """The check of a rule; None for a rule that is judged elsewhere."""
    if rule not in names():
        return None
    module = import_module(f"{checks.__name__}.{rule.replace('-', '_')}")
    code = module.check.__code__
    wants_project = code.co_argcount > 1
    return Check(rule, module.check, subscription(module, code.co_varnames[0]), wants_project)


@cache
def names() -> frozenset[str]:
    """The rules that have a check."""
    modules = (file for folder in checks.__path__ for file in Path(folder).glob("[a-z]*.py"))
    return frozenset(module.stem.replace("_", "-") for module in modules)


def subscription(module: ModuleType, parameter: str) -> tuple[type[facts.Fact], ...]:
    """The fact classes that the annotation of a check's first parameter names: a class, or several joined by `|`."""
    annotation: Any = module.check.__annotations__[parameter]
    if not isinstance(annotation, str):
        return get_args(annotation) or (annotation,)
    named = [getattr(module, name.strip(), None) or getattr(facts, name.strip()) for name in annotation.split("|")]
    return tuple(one for kind in named for one in get_args(kind) or (kind,))
