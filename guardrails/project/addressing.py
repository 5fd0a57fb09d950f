"""Addresses that another service is told to call."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts.trust import Destination
from guardrails.finding import Related
from guardrails.frameworks.model import Model
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Made, Options
from guardrails.names.values import Home
from guardrails.outline import Call, Expr, Literal_, Op, Text, dotted
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.units import is_development

_DEEPEST = 6


class Addressing:
    """Makes a fact of each address that is told to another service, as far as the code tells it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def facts(self) -> Iterator[Destination]:
        """A fact an address."""
        told: set[tuple[str, int]] = set()
        for seen in self._ground.calls("destinations"):
            for selector in seen.form.urls:
                answer = Options(self._ground.resolver, [seen.made]).get(selector)
                if isinstance(answer, Hit) and (seen.made.home.file, answer.expr.start) not in told:
                    told.add((seen.made.home.file, answer.expr.start))
                    yield from self._fact(seen.model, seen.made, answer, seen.form.who)
        yield from self._named(told)

    def _named(self, told: set[tuple[str, int]]) -> Iterator[Destination]:
        """Arguments whose name says that another service will call: `callback_url=`."""
        names = {name: model for model in self._ground.catalogue.models for name in model.callbacks_named}
        for part in self._ground.parts() if names else ():
            if part.language != "python":
                continue
            for index, function in enumerate(part.functions):
                for site in function.sites:
                    for arg in site.call.args:
                        if arg.name in names and (part.path, arg.value.start) not in told:
                            home = Home(part.path, index)
                            yield from self._fact(
                                names[arg.name], Made(site.call, home), Hit(arg.value, home), "the service that it is given to"
                            )

    def _fact(self, model: Model, made: Made, hit: Hit, who: str) -> Iterator[Destination]:
        beginning = self._beginning(hit, 0)
        if beginning is None or is_development(made.home.file) or is_development(beginning[1].file):
            return
        url, home, expr, given = beginning
        at = self._ground.at(model, hit.home, hit.expr)
        place = Place(home.file, expr.start, expr.end)
        related = (Related(place, "the address is written here"),) if place != at["place"] else ()
        yield Destination(**at, url=url, who=who, call=dotted(made.call.func), given=given, related=related)

    def _beginning(self, hit: Hit, depth: int) -> tuple[str, Home, Expr, bool] | None:
        """How an address begins, where it is written, and whether the environment may replace it."""
        expr = hit.expr
        if depth > _DEEPEST:
            return None
        if isinstance(expr, Literal_):
            return (expr.value, hit.home, expr, False) if isinstance(expr.value, str) else None
        if isinstance(expr, Text | Op):
            first = expr.parts[0] if expr.parts and (isinstance(expr, Text) or expr.op in ("+", "%")) else None
            return self._beginning(Hit(first, hit.home), depth + 1) if first is not None else None
        if isinstance(expr, Call) and dotted(expr.func).rpartition(".")[2] in ("format", "urljoin", "join", "rstrip", "strip"):
            inner = expr.args[0].value if dotted(expr.func).endswith("urljoin") and expr.args else getattr(expr.func, "base", None)
            return self._beginning(Hit(inner, hit.home), depth + 1) if inner is not None else None
        constant = evaluate(self._ground.resolver, hit)
        if constant is not None and isinstance(constant.value, str):
            return constant.value, constant.written.home, constant.written.expr, constant.given
        value = self._ground.resolver.resolve(hit.home.file, hit.home.function, expr)
        if value is None or value.made_in is None or not isinstance(value.made, Text | Op):
            return None
        return self._beginning(Hit(value.made, value.made_in), depth + 1)
