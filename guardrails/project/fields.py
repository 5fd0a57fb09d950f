"""All fields of an object written at once: `form.data`, `login.model_dump()`, `asdict(account)`, `vars(self)`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from guardrails.names.code import Part
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Call, Expr, Group, Pair, Ref, Step, dotted, receiver, walk
from guardrails.project.secrecy import Secrecies

_PLAIN = re.compile(r"(?i)^(?:bool|int|float|UUID|datetime|date)$|^(?:Boolean|Integer|Date|DateTime|Float|Decimal|UUID|Submit)Field$")


class Fields:
    """Finds the secret among the fields of an object whose class is in the project."""

    def __init__(self, resolver: Resolver, secrecies: Secrecies) -> None:
        self._resolver, self._secrecies = resolver, secrecies
        self._functions = {path.rpartition(".")[2] for path in secrecies.fields_of}

    def of(self, hit: Hit) -> str:
        """The secret field that an expression writes with all others, "" for none."""
        expr = hit.expr
        if isinstance(expr, Call) and expr.args and not _chosen(expr) and dotted(expr.func).rpartition(".")[2] in self._functions:
            value = self._resolver.resolve(hit.home.file, hit.home.function, expr.func)
            known = value is not None and value.path in self._secrecies.fields_of
            return self._secret(Hit(expr.args[0].value, hit.home)) if known else ""
        name = dotted(expr).removesuffix("()").rpartition(".")[2]
        owner = receiver(expr)
        if owner is None or name not in self._secrecies.fields or (isinstance(expr, Call) and _chosen(expr)):
            return ""
        return self._secret(Hit(owner, hit.home), name if isinstance(expr, Call) else "")

    def _secret(self, hit: Hit, method: str = "") -> str:
        """A field of a secret's name in the object's class; where the class has the method itself, what that returns."""
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        if value is None or value.home is None or not value.instance or self._resolver.definition(value.home).kind != "class":
            return ""
        for home in self._resolver.bases(value.home):
            if isinstance(home, Home):
                part = self._resolver.part(home)
                own = part.member(home.function, method) if method else -1
                if own >= 0:
                    return self._returned(Home(home.file, own))
                found = next((name for name, steps in part.bindings(home.function).items() if self._is_secret(part, home, name, steps)), "")
                if found:
                    return found
        return ""

    def _is_secret(self, part: Part, home: Home, name: str, steps: Sequence[object]) -> bool:
        step = steps[0]
        if not isinstance(step, Step) or not self._secrecies.noun(name):
            return False
        kind = step.annotation if step.annotation is not None else step.value
        names = [dotted(expr).rpartition(".")[2] for expr in walk(kind)] if kind is not None else []
        if any(_PLAIN.match(name) for name in names) or (step.annotation is None and not isinstance(step.value, Call)):
            return False
        return not any(self._is_masked(part, home, expr) for expr in (walk(kind) if kind is not None else ()))

    def _is_masked(self, part: Part, home: Home, expr: Expr) -> bool:
        value = self._resolver.resolve(part.path, max(part.functions[home.function].parent, 0), expr) if isinstance(expr, Ref) else None
        return value is not None and value.path.startswith(self._secrecies.masked)

    def _returned(self, home: Home) -> str:
        """The secret key of a mapping that a method returns."""
        for step in self._resolver.definition(home).steps:
            items = step.value.items if step.kind == "return" and isinstance(step.value, Group) else ()
            for item in items:
                key = as_text(item.key) or "" if isinstance(item, Pair) else ""
                if self._secrecies.noun(key) and isinstance(item, Pair) and not isinstance(item.value, Call):
                    return key
        return ""


def _chosen(call: Call) -> bool:
    """Some fields are chosen or left out: `include=`, `exclude=`, a filter."""
    return any(arg.name not in ("", "mode", "by_alias", "indent", "exclude_none", "exclude_unset", "recurse") for arg in call.args)
