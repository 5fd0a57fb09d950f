"""Who reads what a program prints: the person who started it, or everybody who can read its log."""

from __future__ import annotations

import re
from collections.abc import Iterable

from guardrails.facts import Logged
from guardrails.frameworks.sightings import LogSeen
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Attr, Call, Expr, Function, Ref, Site, is_within, openers, walk
from guardrails.project.clauses import is_endless
from guardrails.project.secrecy import Secrecies

_SCRIPT = re.compile(
    r"(?:^|/)(?:(?:scripts?|bin|tools?|cli|cmd|commands|examples?|emulators?|hack)/"
    r"|(?:cli|commands|manage|__main__|setup_\w+)\.py$)"
)
_ONCE = re.compile(r"(?:^|/)(?:scripts?|tools?|hack)/")  # what a person starts, and whose log that person reads
_DEEPEST = 4
_WIDEST = 8  # calls of one function that are looked at


class Terminals:
    """Tells the prints of commands and of hand-run blocks from those of services."""

    def __init__(self, resolver: Resolver, secrecies: Secrecies) -> None:
        self._resolver, self._secrecies = resolver, secrecies

    def shows(self, seen: LogSeen, values: Iterable[Logged]) -> bool:
        """What a person reads who started the program, or who shall keep what was made just there."""
        home = seen.made.home
        if not seen.form.prints:
            return _ONCE.search(home.file) is not None
        return (
            _SCRIPT.search(home.file) is not None
            or self._is_started(home, seen.site, 0)
            or all(self._is_fresh(home, one.text, one.place.start) for one in values)
        )

    def _is_started(self, home: Home, site: Site, depth: int) -> bool:
        """The call stands below `if __name__ == "__main__"`, in a command, or in a function of the file that a command calls once."""
        function = self._resolver.definition(home)
        if depth > _DEEPEST or _is_repeated(function, site):
            return False
        if home.function == 0:
            return depth == 0 and _is_main(function, site)
        if self._is_command(home, function):
            return True
        calls = self._resolver.part(home).sites_by_name.get(function.name, ())[:_WIDEST]
        return any(
            self._calls(Home(home.file, index), one, home) and self._is_started(Home(home.file, index), one, depth + 1)
            for index, one in calls
        )

    def _calls(self, caller: Home, site: Site, callee: Home) -> bool:
        value = self._resolver.resolve(caller.file, caller.function, site.call.func) if caller != callee else None
        return value is not None and value.home == callee

    def _is_command(self, home: Home, function: Function) -> bool:
        """A decorator or the class says that it is one, or it asks the person at the terminal."""
        marks = [one.func if isinstance(one, Call) else one for one in function.decorators]
        if marks:
            return any(self._path(home.file, function.parent, mark) in self._secrecies.commands for mark in marks)
        read = (part for site in function.sites for part in walk(site.call) if isinstance(part, Ref | Attr))
        if any(self._path(home.file, home.function, part) in self._secrecies.asks for part in read):
            return True
        owner = Home(home.file, max(function.parent, 0))
        if self._resolver.definition(owner).kind != "class":
            return False
        return any(isinstance(base, str) and base in self._secrecies.commands for base in self._resolver.bases(owner))

    def _path(self, file: str, function: int, expr: Expr) -> str:
        value = self._resolver.resolve(file, max(function, 0), expr)
        return value.path.removeprefix("builtins.") if value is not None else expr.name if isinstance(expr, Ref) else ""

    def _is_fresh(self, home: Home, name: str, at: int) -> bool:
        """The local name is assigned nothing but what a source of random values gives."""
        steps = [step for step in self._resolver.part(home).stores(home.function).get(name, ()) if step.start < at]
        return bool(steps) and all(
            step.value is not None and any(self._is_random(home, part) for part in walk(step.value)) for step in steps
        )

    def _is_random(self, home: Home, expr: Expr) -> bool:
        return isinstance(expr, Call) and self._path(home.file, home.function, expr.func) in self._secrecies.fresh


def _is_repeated(function: Function, site: Site) -> bool:
    """The call stands in a loop without an end: the program is a service."""
    block = function.steps[site.step].block
    return any(is_within(function, block, index) and is_endless(function, index) for index in range(len(function.blocks)))


def _is_main(module: Function, site: Site) -> bool:
    """The call stands below `if __name__ == "__main__"`."""
    tests = (step.value for step in openers(module, module.steps[site.step].block, "if"))
    return any(isinstance(part, Ref) and part.name == "__name__" for test in tests if test is not None for part in walk(test))
