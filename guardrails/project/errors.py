"""Which errors are retried: all of them, or some that no retry can mend."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.facts.retrying import Errors
from guardrails.names.options import Hit, Made, Options
from guardrails.outline import Call, Expr, Group, Literal_, walk
from guardrails.place import Place
from guardrails.project.clauses import Caught, Clause, steps_in
from guardrails.project.ground import Ground

_WAITING = re.compile(r"Lock|Busy|NotReady|DoesNotExist|InProgress|Pending|Unfinished|StillRunning|AlreadyRunning|Conflict")
_NOT_YET = re.compile(
    r"(?i)\bnot (?:yet )?(?:ready|available|there|visible)\b|\bnot yet\b|\bstill (?:running|pending|being|in progress)\b"
    r"|\balready (?:locked|running|in progress)\b|\blocked by (?:another|an other)\b"
)


class ErrorNames:
    """Knows the models' names of errors."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver
        self._every = frozenset(name for model in ground.catalogue.models for name in model.every_error)
        self._terminal = frozenset(name for model in ground.catalogue.models for name in model.terminal_errors)
        self._reading = frozenset(name for model in ground.catalogue.models for name in model.reading_errors)
        self._caught = Caught(ground.resolver)

    def of(self, hit: Hit, wrapping: tuple[str, ...] = ()) -> Errors | None:
        """The errors that an expression lists; `wrapping` are calls whose first argument is the list. None where it chooses by itself."""
        if isinstance(hit.expr, Call):
            value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr.func)
            inner = Options(self._resolver, [Made(hit.expr, hit.home)]).first(("0", "exception_types"))
            return self.of(inner) if value is not None and value.path in wrapping and isinstance(inner, Hit) else None
        return self._errors([self._symbol(one) for one in self._listed(hit, 0)], hit)

    def caught(self, clause: Clause) -> Errors:
        """The errors that an except clause takes."""
        value = clause.catch.value
        place = Place(clause.home.file, clause.catch.start, value.end if value is not None else clause.catch.end)
        text = self._caught.words(clause)
        symbols = self._caught.symbols(clause)
        waits = _wait(symbols) or self._says_not_yet(clause)
        return Errors(text, place, value is None or bool(self._every & set(symbols)), self._hopeless(symbols), waits, self._reads(symbols))

    def _says_not_yet(self, clause: Clause) -> bool:
        """A text in the clause says that something is not ready: `error = "Tickets not ready"`."""
        steps = steps_in(self._resolver.definition(clause.home), clause.block)
        texts = (part for step in steps if step.value is not None for part in walk(step.value) if isinstance(part, Literal_))
        return any(isinstance(part.value, str) and _NOT_YET.search(part.value) for part in texts)

    def _errors(self, symbols: list[str], hit: Hit) -> Errors:
        place = hit.place
        text = f"`{self._ground.text(hit.home, hit.expr)}`"
        return Errors(text, place, bool(self._every & set(symbols)), self._hopeless(symbols), _wait(symbols), self._reads(symbols))

    def _reads(self, symbols: list[str]) -> bool:
        """Those that no retry can mend are what reading an answer raises that is not as it should be."""
        return self._terminal.intersection(symbols) <= self._reading

    def _hopeless(self, symbols: list[str]) -> tuple[str, ...]:
        return tuple(symbol.rpartition(".")[2] for symbol in symbols if symbol in self._terminal)

    def _listed(self, hit: Hit, depth: int) -> Iterator[Hit]:
        """The items of a tuple or list, of the variable that holds it."""
        expr: Expr = hit.expr
        if isinstance(expr, Group):
            for item in expr.items:
                yield from self._listed(Hit(item, hit.home), depth + 1) if depth < 2 else ()
            return
        value = self._resolver.resolve(hit.home.file, hit.home.function, expr)
        if value is not None and isinstance(value.made, Group) and value.made_in is not None and depth < 2:
            yield from self._listed(Hit(value.made, value.made_in), depth + 1)
        else:
            yield hit

    def _symbol(self, hit: Hit) -> str:
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        return value.path.removeprefix("builtins.") if value is not None else ""


def _wait(symbols: list[str]) -> bool:
    """All of them say by their names that something is not there or not free yet."""
    return bool(symbols) and all(_WAITING.search(symbol.rpartition(".")[2]) for symbol in symbols)
