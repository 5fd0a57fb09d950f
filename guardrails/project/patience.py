"""Hand-overs whose job hardly misses the rows of an open transaction: it runs only later, or all that it needs comes with it."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator

from guardrails.frameworks.sightings import EnqueueSeen, JobSeen
from guardrails.names.code import last_word
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit
from guardrails.names.values import Home
from guardrails.outline import Attr, Expr, Pair, Ref, dotted, walk
from guardrails.project import unpacking
from guardrails.project.below import below
from guardrails.project.ground import Ground

_NAMES_A_ROW = re.compile(r"(?i)(?:^|_)(?:ids?|pks?|uuids?|slug|name|key)$")
_TOUCHES = frozenset(("save", "asave", "delete", "adelete", "refresh_from_db", "arefresh_from_db", "cursor", "execute"))


class Patience:
    """Says of a hand-over why its job hardly misses the rows."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        rows = [model.rows for model in ground.catalogue.models if model.rows is not None]
        self._calls = frozenset(path for spec in rows for path in (*spec.calls_one, *spec.calls_many))
        self._queries = frozenset(_TOUCHES.union(*((*spec.one, *spec.many, *spec.dicts) for spec in rows)) - {"get"})
        self._bases = tuple(base for spec in rows for base in spec.bases)
        self._managers = frozenset(name for spec in rows for name in spec.managers)

    def why(self, seen: EnqueueSeen) -> str:
        """In words; "" where the job may well miss them."""
        if self._is_later(seen):
            return "its delay gives the commit time"
        job = self._ground.jobs.get(seen.job)
        return "all that it needs comes with it" if job is not None and self._is_whole(seen, job) else ""

    def _is_later(self, seen: EnqueueSeen) -> bool:
        """A delay is given, and it is not the caller's, who may give none."""
        answer = seen.options.first(seen.form.later) if seen.form.later else None
        if not isinstance(answer, Hit):
            return False
        params = {param.name for param in self._ground.resolver.definition(answer.home).params}
        if isinstance(answer.expr, Ref) and answer.expr.name in params:
            return False
        constant = evaluate(self._ground.resolver, answer)
        return constant is None or bool(constant.value)

    def _is_whole(self, seen: EnqueueSeen, job: JobSeen) -> bool:
        """What is handed over names no row, and the job asks the database for none."""
        payload = unpacking.payload(self._ground.resolver, seen)
        names = {name for label, hit in payload for name in (label, *_names(hit.expr))}
        names |= {param.name for param in self._ground.resolver.definition(job.home).params}
        if not payload or any(_NAMES_A_ROW.search(name) for name in names):
            return False
        if any(self._ground.shapes.payload(hit).kind not in ("plain", "unknown") for _, hit in payload):
            return False
        return not any(self._asks(home) for home in below(self._ground.resolver, job.home))

    def _asks(self, home: Home) -> bool:
        """A query, or a function that was not found: it may make one."""
        for site in self._ground.resolver.definition(home).sites:
            text = dotted(site.call.func)
            value = self._ground.resolver.resolve(home.file, home.function, site.call.func)
            path = value.path if value is not None else text
            if not self._managers.isdisjoint(text.split(".")) or path in self._calls:
                return True
            if last_word(site) in self._queries and (value is None or path.startswith(self._bases)):
                return True
            if path == text and text.isidentifier() and not hasattr(builtins, text):
                return True
        return False


def _names(expr: Expr) -> Iterator[str]:
    """The last words of names and the keys of mappings in an expression."""
    for part in walk(expr):
        if isinstance(part, Ref | Attr):
            yield part.name.rpartition(".")[2]
        elif isinstance(part, Pair):
            yield str(getattr(part.key, "value", ""))
