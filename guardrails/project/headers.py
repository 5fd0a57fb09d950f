"""Whole headers: those of a request, or a mapping that holds a secret."""

from __future__ import annotations

import re

from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.outline import Call, Comp, Group, Index, Literal_, Pair, Spread, dotted, walk
from guardrails.project.secrecy import Secrecies
from guardrails.project.secrets import words_of

_HARMLESS = frozenset(
    "envelope item frame block packet "
    "e err exc error exception response resp res result reply reader row table sheet worksheet csv writer df columns column".split()
)
_ANSWERS = re.compile(r"(?:^|\.)(?:get|post|put|patch|delete|head|request|send|urlopen|fetch)$")
WHOLE = "whole headers"


class Headers:
    """Says of a value that is called headers whether it holds a secret, and in words what it is."""

    def __init__(self, resolver: Resolver, secrecies: Secrecies) -> None:
        self._resolver, self._secrecies = resolver, secrecies

    def of(self, hit: Hit, text: str, last: str) -> str:
        """What the headers are; "" where they are harmless."""
        owner = text.rpartition(".")[0].rpartition(".")[2]
        if last == "environ":
            value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
            return self._secrecies.whole.get(value.path, "") if value is not None else ""
        if last == "header" or set(words_of(owner)) & _HARMLESS or "response" in text.lower():
            return ""
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        made = value.made if value is not None else None
        if value is not None and any(word in value.path for word in ("csv.", "openpyxl", "tabulate", "response", "Response")):
            return ""
        if isinstance(made, Call) and (_ANSWERS.search(dotted(made.func)) or any("csv" in dotted(part) for part in walk(made))):
            return ""
        if isinstance(made, Group):
            return WHOLE if self._is_secret(hit, made) else ""
        if isinstance(made, Comp | Literal_) and not any(self._secrecies.noun(key) for key in self._added_keys(hit)):
            return ""
        return WHOLE

    def _is_secret(self, hit: Hit, group: Group) -> bool:
        """A literal mapping is judged by its keys, and by those that are added later; a list is a table's head."""
        keys = [as_text(item.key) or "" for item in group.items if isinstance(item, Pair)] + self._added_keys(hit)
        secret = any(self._secrecies.noun(key.replace("-", "_")) or "api-key" in key.lower() for key in keys)
        return group.kind == "dict" and (secret or any(isinstance(item, Spread) for item in group.items))

    def _added_keys(self, hit: Hit) -> list[str]:
        """Keys that are added to a mapping: `headers["Authorization"] = ..`; what `.update(..)` adds is not known: a secret."""
        name = getattr(hit.expr, "name", "")
        definition = self._resolver.definition(hit.home)
        steps = [t for step in definition.steps if step.start < hit.expr.start for t in step.targets]
        keys = [as_text(t.key) or "" for t in steps if isinstance(t, Index) and dotted(t.base) == name]
        updates = [s for s in definition.sites if dotted(s.call.func) == f"{name}.update" and s.call.start < hit.expr.start]
        return keys + ["secret" for site in updates if site.call.args and not isinstance(site.call.args[0].value, Group)]
