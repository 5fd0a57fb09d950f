"""Log calls that write what tells a person: an e-mail address, a telephone number, a card, an address, a whole row as a mapping."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts.sharing import PersonalLog
from guardrails.frameworks.sightings import LogSeen
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit
from guardrails.names.values import Home
from guardrails.outline import Attr, Await, Call, Choice, Expr, Group, Index, Op, Pair, Ref, Spread, Text, dotted, receiver
from guardrails.project.ground import Ground
from guardrails.project.secrecy import tells_apart
from guardrails.project.secrets import words_of

_NOUNS = {
    "email": "an e-mail address", "emails": "e-mail addresses", "phone": "a telephone number", "ssn": "a social security number",
    "iban": "an account number", "passport": "a passport number", "birthday": "a date of birth", "birthdate": "a date of birth",
    "surname": "a name",
}  # fmt: skip
_PAIRS = {
    ("email", "address"): "an e-mail address", ("e", "mail"): "an e-mail address", ("phone", "number"): "a telephone number",
    ("mobile", "number"): "a telephone number", ("card", "number"): "a card number", ("credit", "card"): "a card",
    ("social", "security"): "a social security number", ("account", "number"): "an account number", ("birth", "date"): "a date of birth",
    ("shipping", "address"): "an address", ("billing", "address"): "an address", ("postal", "address"): "an address",
    ("street", "address"): "an address", ("home", "address"): "an address", ("first", "name"): "a name", ("last", "name"): "a name",
    ("full", "name"): "a name", ("to", "email"): "an e-mail address", ("from", "email"): "",
}  # fmt: skip
_SHOWN = frozenset("str repr lower upper strip format join list sorted get title".split())
_ROWS = ("row-as-dict", "serialized-row")
_DEEPEST = 4


class Persons:
    """Makes a fact of each such log call."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._memory: dict[tuple[str, int], tuple[tuple[str, str], ...]] = {}

    def ends(self) -> Iterator[Home]:
        """Which jobs reach it matters."""
        return (seen.made.home for seen in self._ground.sightings(LogSeen) if self._values(seen))

    def facts(self) -> Iterator[PersonalLog]:
        """A fact a log call."""
        for seen in self._ground.sightings(LogSeen):
            values = self._values(seen)
            if values and not seen.form.prints:
                at = self._ground.at(seen.model, seen.made.home, seen.made.call)
                texts = tuple(dict.fromkeys(text for text, _ in values))
                yield PersonalLog(**at, call=dotted(seen.made.call.func), noun=values[0][1], values=texts)

    def _values(self, seen: LogSeen) -> tuple[tuple[str, str], ...]:
        key = (seen.made.home.file, seen.made.call.start)
        if key not in self._memory:
            found = (one for arg in seen.made.call.args for one in self._in(Hit(arg.value, seen.made.home), 0))
            self._memory[key] = tuple(found)
        return self._memory[key]

    def _in(self, hit: Hit, depth: int) -> Iterator[tuple[str, str]]:
        """The values in an expression, as written, with what they are."""
        expr = hit.expr
        if depth > _DEEPEST:
            return
        for part in _parts(expr):
            yield from self._in(Hit(part, hit.home), depth + 1)
        name = as_text(expr.key) if isinstance(expr, Index) else dotted(expr).rpartition(".")[2] if isinstance(expr, Ref | Attr) else None
        noun = _noun(name) if name else ""
        if noun and not self._is_object(hit):
            yield " ".join(self._ground.text(hit.home, expr).split())[:80], noun
        elif isinstance(expr, Call) and dotted(expr).endswith(("model_to_dict()", ".to_dict()", ".as_dict()")):
            shape = self._ground.shapes.of(hit.home, expr)
            if shape is not None and shape.kind in _ROWS:
                yield " ".join(self._ground.text(hit.home, expr).split())[:80], "a whole row"

    def _is_object(self, hit: Hit) -> bool:
        """A message that is called so, no address: an instance of a class of the project, or a row."""
        value = self._ground.resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        if value is None:
            return False
        shape = self._ground.shapes.of(hit.home, hit.expr)
        return (value.home is not None and value.instance) or (shape is not None and shape.kind in ("row", "rows"))


def _parts(expr: Expr) -> tuple[Expr, ...]:
    """What of an expression is written as it is; what a function of its own makes of a value is not."""
    match expr:
        case Text():
            return expr.parts
        case Op(op="%" | "+" | "or" | "and" | "|"):
            return expr.parts
        case Group():
            return tuple(item.value if isinstance(item, Pair | Spread) else item for item in expr.items if not _is_told_apart(item))
        case Choice():
            return (expr.yes, expr.no)
        case Await():
            return (expr.value,)
        case Call():
            last = dotted(expr.func).rpartition(".")[2]
            base = receiver(expr)
            own = (base,) if base is not None and not expr.args else ()
            return (*own, *(arg.value for arg in expr.args)) if last in _SHOWN else ()
        case _:
            return ()


def _is_told_apart(item: Expr) -> bool:
    return isinstance(item, Pair) and tells_apart(as_text(item.key) or "")


def _noun(name: str) -> str:
    """What a name says: "" for what is no one's own."""
    words = words_of(name)
    if not words or words[0] in ("is", "has", "no", "num", "count", "total", "hashed", "masked"):
        return ""
    pair = _PAIRS.get((words[-2], words[-1])) if len(words) > 1 else None
    return pair if pair is not None else _NOUNS.get(words[-1], "")
