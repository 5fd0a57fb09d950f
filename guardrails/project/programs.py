"""Which program a call runs, and whether it takes a moment only, told by the first words of its command."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.frameworks.forms.waiting import WaitForm
from guardrails.frameworks.sightings import CallSeen
from guardrails.names.options import Made
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Expr, Group, Literal_, Spread, Text

_JOINTS = frozenset(";|&`$\n")  # what makes one line of a shell several programs
_HOLE = "\0"  # what is filled into a line when it runs
_DEEPEST = 3


class Programs:
    """Reads commands as far as they are written out."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def is_brief(self, seen: CallSeen) -> bool:
        """The program that a wait is for is among those that its model calls brief."""
        form: WaitForm = seen.form
        if not form.command:
            return False
        made = seen.origin if seen.origin is not None else seen.made
        words = tuple(self._command(made, form.command))
        return bool(words) and any(_begins((words[0].rpartition("/")[2], *words[1:]), phrase.split()) for phrase in form.brief)

    def _command(self, made: Made, name: str) -> Iterator[str]:
        """The words of the command: of the argument of this name, else of all plain ones; "" stands for what is not written out."""
        named = [arg for arg in made.call.args if arg.name == name]
        plain = [arg for arg in made.call.args if not arg.name and arg.splat != "**"]
        for arg in named or plain:
            yield from self._words(made.home, arg.value, _DEEPEST if arg.splat else 0)

    def _words(self, home: Home, expr: Expr, depth: int) -> list[str]:
        if isinstance(expr, Literal_):
            return _line(expr.value)
        if isinstance(expr, Text):
            return _line("".join(str(part.value) if isinstance(part, Literal_) else _HOLE for part in expr.parts))
        if isinstance(expr, Group) and expr.kind in ("list", "tuple"):
            return [word for item in expr.items for word in self._words(home, item, depth)]
        if isinstance(expr, Spread):
            return [*self._words(home, expr.value, depth), ""]
        value = self._resolver.resolve(home.file, home.function, expr) if depth < _DEEPEST else None
        if value is None or value.made is None or value.made_in is None or value.made == expr:
            return [""]
        return [*self._words(value.made_in, value.made, depth + 1), ""]  # a list may grow after it was made


def _line(text: object) -> list[str]:
    """The words of a command line of one program."""
    if not isinstance(text, str) or not _JOINTS.isdisjoint(text):
        return [""]
    return ["" if _HOLE in word else word for word in text.split()]


def _begins(words: tuple[str, ...], phrase: list[str]) -> bool:
    """The words begin with a phrase; one that begins with any program is the whole command."""
    if phrase[0] == "*":
        return len(words) == len(phrase) and bool(words[0]) and list(words[1:]) == phrase[1:]
    return list(words[: len(phrase)]) == phrase
