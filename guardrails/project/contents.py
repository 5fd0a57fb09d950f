"""Whole contents in an argument: what a file, an upload or an answer held, also in another encoding."""

from __future__ import annotations

import re

from guardrails.facts.payload import Bulk
from guardrails.finding import Related
from guardrails.frameworks.catalogue import Catalogue
from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Value
from guardrails.outline import Await, Call, Choice, Expr, Group, Op, Pair, Ref, Spread, dotted, receiver
from guardrails.place import Place
from guardrails.project.secrets import words_of

_KEY = re.compile(r"\[[^\[\]*]*\]")
_RECODED = re.compile(r"(?:\.(?:decode|encode|strip|tobytes|hex)\(\))+$")
_FILES = frozenset(
    "file fp fh upload uploaded image picture photo pdf document attachment archive csv spreadsheet video audio avatar".split()
)
_HELD = frozenset("bytes content contents blob buffer".split())
_DEEPEST = 4


class Contents:
    """Judges expressions by the `contents` of the models."""

    def __init__(self, resolver: Resolver, catalogue: Catalogue) -> None:
        self._resolver = resolver
        self._gives: dict[str, str] = {}
        self._ends: dict[str, str] = {}
        self._encodes: set[str] = set()
        self._readers: set[str] = set()
        self._texts: tuple[str, ...] = ()
        for model in catalogue.models:
            spec = model.contents
            for path, words in spec.gives.items() if spec is not None else ():
                table = self._ends if path.startswith(".") else self._gives
                table.update({path.replace("{verb}", verb): words for verb in (model.verbs if "{verb}" in path else ("",))})
            if spec is not None:
                self._encodes.update(spec.encodes)
                self._readers.update(spec.readers)
                self._texts = (*self._texts, *spec.texts)

    def of(self, hit: Hit, depth: int = 0) -> Bulk | None:
        """What an argument holds; None where it is no contents."""
        expr = hit.expr
        if depth > _DEEPEST:
            return None
        if isinstance(expr, Group | Choice | Op):
            return self._among(hit, expr, depth)
        if isinstance(expr, Await | Spread | Pair):
            return self.of(Hit(expr.value, hit.home), depth + 1)
        value = self._resolver.resolve(hit.home.file, hit.home.function, expr)
        words = self._words(value.path if value is not None else dotted(expr))
        if words and not self._is_small(hit, value):
            return self._bulk(hit, words, value)
        if isinstance(expr, Call):
            return self._encoded(hit, expr, depth) or self._read(hit, expr)
        return self._local(hit, value, depth)

    def _among(self, hit: Hit, expr: Group | Choice | Op, depth: int) -> Bulk | None:
        parts: tuple[Expr, ...] = expr.items if isinstance(expr, Group) else ()
        if isinstance(expr, Choice):
            parts = (expr.yes, expr.no)
        if isinstance(expr, Op) and expr.op in ("or", "+", "and"):
            parts = expr.parts
        return next((found for part in parts if (found := self.of(Hit(part, hit.home), depth + 1)) is not None), None)

    def _words(self, path: str) -> str:
        bare = _RECODED.sub("", _KEY.sub("[]", path))
        return self._gives.get(bare, "") or next((words for end, words in self._ends.items() if bare.endswith(end)), "")

    def _is_small(self, hit: Hit, value: Value | None) -> bool:
        """A part that is counted out, or a text that a function of the project reads for its callers: a template, a query."""
        made = value.made if value is not None else hit.expr
        if isinstance(made, Call) and made.args and dotted(made.func).rpartition(".")[2] in self._readers:
            return True
        return value is not None and value.made_in is not None and value.made_in != hit.home and value.path.startswith(self._texts)

    def _encoded(self, hit: Hit, call: Call, depth: int) -> Bulk | None:
        """The contents in another form: `base64.b64encode(data).decode()`."""
        inner: Expr | None = call
        while isinstance(inner, Call) and (not inner.args or dotted(inner.func).endswith("().decode")):
            inner = receiver(inner)
        if not isinstance(inner, Call) or not inner.args:
            return None
        func = self._resolver.resolve(hit.home.file, hit.home.function, inner.func)
        if func is None or func.path not in self._encodes:
            return None
        arg = inner.args[0].value
        found = self.of(Hit(arg, hit.home), depth + 1)
        if found is not None:
            return Bulk(self._text(hit), hit.place, f"{found.what}, encoded", found.is_named, found.evidence)
        named = isinstance(arg, Ref) and _HELD.intersection(words_of(arg.name.rpartition(".")[2])) and func.path.rpartition(".")[0]
        return Bulk(self._text(hit), hit.place, f"`{dotted(arg)}`, encoded", is_named=True) if named else None

    def _read(self, hit: Hit, call: Call) -> Bulk | None:
        """All that a receiver holds whose name says that it is a file: `attachment.read()`."""
        owner, _, last = _RECODED.sub("", dotted(call)).removesuffix("()").rpartition(".")
        words = words_of(owner.rpartition(".")[2])
        if last in self._readers and not call.args and words and words[-1] in _FILES:
            return Bulk(self._text(hit), hit.place, "the contents of a file", is_named=True)
        return None

    def _local(self, hit: Hit, value: Value | None, depth: int) -> Bulk | None:
        """What a local variable was made from; bytes under a name that says contents."""
        expr = hit.expr
        if value is not None and value.path == "bytes()" and isinstance(expr, Ref):
            words = words_of(expr.name.rpartition(".")[2])
            return Bulk(self._text(hit), hit.place, "the bytes", is_named=True) if _HELD.intersection(words) else None
        if value is None or value.made is None or value.made is expr or value.made_in is None or not isinstance(value.made, Call | Group):
            return self._assigned(hit, depth)
        found = self.of(Hit(value.made, value.made_in), depth + 1) if value.made_in == hit.home else None
        return self._from(hit, found, value.made) if found is not None else self._assigned(hit, depth)

    def _assigned(self, hit: Hit, depth: int) -> Bulk | None:
        """The one assignment of a plain name in the function."""
        name = hit.expr.name if isinstance(hit.expr, Ref) and "." not in hit.expr.name else ""
        steps = self._resolver.part(hit.home).stores(hit.home.function).get(name, []) if name else []
        made = steps[0].value if len(steps) == 1 else None
        found = self.of(Hit(made, hit.home), depth + 1) if isinstance(made, Call | Await | Group) else None
        return self._from(hit, found, made) if found is not None and made is not None else None

    def _from(self, hit: Hit, found: Bulk, made: Expr) -> Bulk:
        here = Related(Place(hit.home.file, made.start, made.end), "it is read here")
        return Bulk(self._text(hit), hit.place, found.what, found.is_named, (here,))

    def _bulk(self, hit: Hit, words: str, value: Value | None) -> Bulk:
        made = value.made if value is not None else None
        away = made is not None and made is not hit.expr and value is not None and value.made_in == hit.home
        evidence = (Related(Place(hit.home.file, made.start, made.end), "it comes from here"),) if away and made is not None else ()
        return Bulk(self._text(hit), hit.place, words, evidence=evidence)

    def _text(self, hit: Hit) -> str:
        return " ".join(self._resolver.text(hit.home.file, hit.expr.start, hit.expr.end).split())[:80]
