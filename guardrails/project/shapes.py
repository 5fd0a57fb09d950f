"""What shape an argument has: a database row, rows, a row as a dict, a request, a data frame, or plain data."""

from __future__ import annotations

import re

import msgspec

from guardrails.facts import Payload, PayloadKind
from guardrails.finding import Related
from guardrails.frameworks.forms.data import Rows
from guardrails.frameworks.sightings import EnqueueSeen
from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home, Value
from guardrails.outline import (
    Attr,
    Call,
    Choice,
    Closure,
    Comp,
    Expr,
    Group,
    Index,
    Literal_,
    Op,
    Pair,
    Ref,
    Spread,
    Text,
    dotted,
    receiver,
    walk,
)
from guardrails.place import Place
from guardrails.project.secrets import words_of

_PLAIN_TYPE = re.compile(
    r"^(?:int|str|float|bool|bytes|UUID|uuid\.UUID|decimal\.Decimal|datetime\.\w+)\(\)(?:\[\*\])?$|\.(?:count|exists|aggregate)\(\)$|\.values_list\(\)"
)
_PLAIN_CALLS = (
    "str int float bool len round sum min max hash repr isoformat strftime hex join format strip lower upper dumps count exists now time "
    "date today"
).split()
_LIST = re.compile(r"\[\*\]$")
_WORDS: dict[PayloadKind, str] = {
    "row": "a whole {} row",
    "rows": "whole {} rows",
    "row-as-dict": "a whole {} row as a dict",
    "serialized-row": "a serialised {} row",
    "request": "the request object",
    "data-frame": "a data frame",
}


class Shape(msgspec.Struct, frozen=True):
    """A kind with the name of the model and the place where it was seen."""

    kind: PayloadKind
    of: str = ""
    at: Home | None = None
    seen: Expr | None = None
    key: str = "id"


class Shapes:
    """Judges shapes with the `rows` of the models. `handlers` are the functions that answer requests."""

    def __init__(self, resolver: Resolver, rows: tuple[Rows, ...]) -> None:
        self._resolver = resolver
        self._rows = rows
        self._bases = frozenset(base for spec in rows for base in spec.bases)
        self._one = _calls(rows, "one")
        self._many = _calls(rows, "many")
        self._dicts = _calls(rows, "dicts")
        self._requests = frozenset(f"{path.removesuffix('()')}{call}" for spec in rows for path in spec.requests for call in ("", "()"))
        self._frames = tuple(f"{path.removesuffix('()')}()" for spec in rows for path in spec.frames)
        self.handlers: frozenset[Home] = frozenset()
        self._fields = tuple(f".{name}" for spec in rows for name in spec.fields)
        self._plain = _ending([*_PLAIN_CALLS, *(name for spec in rows for name in spec.plain)])

    def payload(self, hit: Hit) -> Payload:
        """The payload fact of one argument."""
        shape = self.of(hit.home, hit.expr) or Shape("unknown")
        text = self._resolver.text(hit.home.file, hit.expr.start, hit.expr.end)
        what = _WORDS.get(shape.kind, "").format(shape.of or "database")
        return Payload(
            text, hit.place, shape.kind, what, _reference(text, shape), self._evidence(hit, shape),
            self._load(shape),
        )  # fmt: skip

    def _load(self, shape: Shape) -> str:
        """How a row of this model is read by its key."""
        form = next((spec.load for spec in self._rows if spec.load and spec.key == shape.key), "")
        return form.replace("{model}", shape.of) if shape.kind == "row" and shape.of.isidentifier() else ""

    def bound(self, seen: EnqueueSeen) -> tuple[Payload, ...]:
        """The row whose method is the job: the whole row goes with it."""
        answer = seen.options.get(seen.form.job) if seen.form.job else None
        owner = receiver(answer.expr) if isinstance(answer, Hit) and isinstance(answer.expr, Ref | Attr) else None
        if not isinstance(answer, Hit) or owner is None:
            return ()
        shape = self.of(answer.home, owner)
        if shape is None or shape.kind != "row" or not self._is_method(answer, shape.of):
            return ()
        text = self._resolver.text(answer.home.file, answer.expr.start, answer.expr.end)
        place = answer.place
        what = _WORDS["row"].format(shape.of or "database")
        return (Payload(text, place, "row", f"{what} by its method", f"{dotted(owner)}.{shape.key}", self._evidence(answer, shape)),)

    def _is_method(self, hit: Hit, model: str) -> bool:
        """The expression is a method: told by what it means, or by the class that the row is of."""
        last = dotted(hit.expr).rpartition(".")[2]
        of_class = Ref(hit.expr.start, hit.expr.end, f"{model}.{last}") if model else hit.expr
        both = ((hit.home.function, hit.expr), (0, of_class))
        values = (self._resolver.resolve(hit.home.file, function, expr) for function, expr in both)
        return any(v is not None and v.home is not None and self._resolver.definition(v.home).kind == "function" for v in values)

    def _evidence(self, hit: Hit, shape: Shape) -> tuple[Related, ...]:
        if shape.at is None or shape.seen is None or (shape.at == hit.home and shape.seen.start == hit.expr.start):
            return ()
        return (
            Related(
                Place(shape.at.file, shape.seen.start, shape.seen.end),
                f"here it becomes {_WORDS.get(shape.kind, shape.kind).format(shape.of or 'database')}",
            ),
        )

    def of(self, home: Home, expr: Expr, depth: int = 0) -> Shape | None:
        """The shape of an expression in a function; None where that cannot be told."""
        if isinstance(expr, Literal_ | Text | Op | Closure) or depth > 6:
            return Shape("plain")
        if isinstance(expr, Choice):
            shapes = [self.of(home, part, depth + 1) for part in (expr.yes, expr.no)]
            whole = (shape for shape in shapes if shape is not None and shape.kind not in ("plain", "unknown"))
            return next(whole, Shape("plain") if all(shapes) else None)
        if isinstance(expr, Group):
            return self._inside(home, [i.value if isinstance(i, Pair | Spread) else i for i in expr.items], depth)
        if isinstance(expr, Comp):
            shape = self.of(home, expr.element.value if isinstance(expr.element, Pair) else expr.element, depth + 1)
            return Shape("rows", shape.of, shape.at, shape.seen) if shape is not None and shape.kind == "row" else shape
        special = self._special(home, expr, depth)
        if special is not None:
            return special
        value = self._resolver.resolve(home.file, home.function, expr)
        shape = self._of_value(value, home, expr, depth) if value is not None else None
        return shape or (Shape("plain") if self._is_plain(home, expr, value, depth) else None)

    def _is_plain(self, home: Home, expr: Expr, value: Value | None, depth: int) -> bool:
        """Numbers, texts, ids, attributes of a row, small structures of the project's own."""
        if value is not None and (_PLAIN_TYPE.search(value.path) or (value.instance and value.home is not None)):
            return True
        text = dotted(expr)
        if isinstance(expr, Call):
            return self._plain.search(text) is not None
        if isinstance(expr, Index):
            return False
        owner = receiver(expr)
        if text.rpartition(".")[2] in ("pk", "id") or owner is None or not dotted(owner):
            return text.rpartition(".")[2] in ("pk", "id")
        inner = self.of(home, owner, depth + 1)
        return inner is not None and inner.kind in ("row", "request", "plain") and "." in text

    def _inside(self, home: Home, items: list[Expr], depth: int) -> Shape:
        shapes = [self.of(home, item, depth + 1) for item in items]
        return next((s for s in shapes if s is not None and s.kind not in ("plain", "unknown")), Shape("plain"))

    def _special(self, home: Home, expr: Expr, depth: int) -> Shape | None:
        """Shapes that syntax tells: `order.__dict__`, `model_to_dict(order)`, `request.user`, a signal's `instance`."""
        text = dotted(expr)
        if isinstance(expr, Call) and expr.args:
            value = self._resolver.resolve(home.file, home.function, expr.func)
            if value is not None and value.path in ("list", "tuple", "set", "dict", "sorted", "copy.copy", "copy.deepcopy"):
                return self.of(home, expr.args[0].value, depth + 1)
            if value is not None and (value.path == "vars" or any(value.path in spec.as_dict for spec in self._rows)):
                inner = self.of(home, expr.args[0].value, depth + 1)
                if value.path == "vars" and (inner is None or inner.kind != "row"):
                    return None
                return Shape("row-as-dict", inner.of if inner else "", home, expr)
        if self._fields and text.endswith(self._fields):
            owner = receiver(expr)
            inner = self.of(home, owner, depth + 1) if owner is not None else None
            return Shape("row-as-dict", inner.of, home, expr) if inner is not None and inner.kind == "row" else None
        if any(text in spec.current for spec in self._rows) and self._is_request(home, expr):
            return Shape("row", "user", home, expr)
        return self._parameter(home, expr)

    def _is_request(self, home: Home, expr: Expr) -> bool:
        head = receiver(expr)
        if not isinstance(head, Ref):
            return False
        value = self._resolver.resolve(home.file, home.function, head)
        return home in self.handlers or (value is not None and value.path in self._requests)

    def _parameter(self, home: Home, expr: Expr) -> Shape | None:
        if not isinstance(expr, Ref):
            return None
        definition = self._resolver.definition(home)
        first = [param.name for param in definition.params if param.name not in ("self", "cls")][:1]
        if home in self.handlers and expr.name == "request" and first == ["request"]:
            return Shape("request", "", home, expr)
        if expr.name == "instance" and any(param.name == "instance" for param in definition.params):
            for decorator in definition.decorators:
                value = self._resolver.resolve(home.file, 0, decorator)
                if value is not None and any(value.path.removesuffix("()") in spec.signals for spec in self._rows):
                    return Shape("row", "", home, expr)
        return None

    def _of_value(self, value: Value, home: Home, expr: Expr, depth: int) -> Shape | None:
        at, seen = (value.made_in, value.made) if value.made is not None else (None, None)
        if value.instance and value.home is not None:
            name = self._row_class(value.home)
            if name:
                return Shape(
                    "row", name, at, seen, self._key(*(base for base in self._resolver.bases(value.home) if isinstance(base, str)))
                )
            return Shape("request", "", at, seen) if self._is_request_copy(value.home) else None
        path = value.path
        if (
            isinstance(value.made, Call)
            and value.made is not expr
            and value.made_in is not None
            and not value.home
            and isinstance(expr, Ref)
            and "." not in expr.name
        ):
            built = self._special(value.made_in, value.made, depth + 1)
            if built is not None:
                return built
        if isinstance(value.made, Group | Comp) and path.startswith("<") and value.made is not expr and value.made_in is not None:
            return self.of(value.made_in, value.made, depth + 1)
        if path in self._requests:
            return Shape("request", "", at, seen)
        if path.endswith(self._frames) and self._frames:
            return Shape("data-frame", "", at, seen)
        return self._queried(path, home, expr, at, seen, value)

    def _queried(self, path: str, home: Home, expr: Expr, at: Home | None, seen: Expr | None, value: Value) -> Shape | None:
        """A query's result by its access path: `...objects.filter().first()`."""
        if path.endswith(".data") and any(f"{s}()" in path or s in path for spec in self._rows for s in spec.serializers):
            return Shape("serialized-row", "", at or home, seen or expr)
        call = expr if isinstance(expr, Call) else value.made
        if isinstance(call, Call) and path.endswith(".get()") and 0 < len(call.args) <= 2 and _is_key(call.args[0].value):
            return None
        bare, element = _LIST.subn("", path)
        bare = bare.removesuffix("[0]")
        if not self._is_query(bare) or _PLAIN_TYPE.search(bare):
            return None
        name = self._model_name(value)
        if self._dicts.search(bare):
            return Shape("row-as-dict", name, at, seen, self._key(bare))
        if self._one.search(bare) or (element and self._many.search(bare)):
            return Shape("row", name, at, seen, self._key(bare))
        return Shape("rows", name, at, seen) if self._many.search(bare) else None

    def _key(self, *paths: str) -> str:
        """The name of the primary key, by the framework of a class's bases or of a query's path."""
        found = (spec.key for spec in self._rows for base in spec.bases if any(path.startswith(base) for path in paths))
        return next(found, "id")

    def _is_query(self, path: str) -> bool:
        """The path starts at a class of rows, at a session, or at a manager."""
        starts = [base for base in self._bases if path.startswith(f"{base}.")]
        starts += [call for spec in self._rows for call in (*spec.calls_one, *spec.calls_many) if path.startswith(f"{call}()")]
        starts += [manager for spec in self._rows for manager in spec.managers if "(" in manager and path.startswith(manager)]
        return bool(starts)

    def _row_class(self, home: Home) -> str:
        """The class's name when its instances are rows, else ""."""
        if self._resolver.definition(home).kind != "class":
            return ""
        foreign = [base for base in self._resolver.bases(home) if isinstance(base, str)]
        for spec in self._rows:
            if spec.only_with and set(foreign) & set(spec.bases) and not self._has_flags(home, spec):
                return ""
        return (
            self._resolver.definition(home).name
            if any(base in self._bases or base.removesuffix("()") in self._bases for base in foreign)
            else ""
        )

    def _has_flags(self, home: Home, spec: Rows) -> bool:
        """The class, or a project class above it, is declared with what makes it a table: `class Order(SQLModel, table=True)`."""
        flags = [
            (arg.name, getattr(arg.value, "value", None))
            for one in self._resolver.bases(home)
            if isinstance(one, Home)
            for arg in self._resolver.definition(one).bases
        ]
        return all((name, wanted) in flags for name, wanted in spec.only_with.items())

    def _is_request_copy(self, home: Home) -> bool:
        """A class of the project's own that stands in for a request: `FakeRequest`, and no schema of a request's body."""
        definition = self._resolver.definition(home)
        words = words_of(definition.name)
        return (
            words[-1:] == ["request"]
            and not definition.bases
            and not definition.decorators
            and bool({"fake", "http", "copy", "dummy", "stub"} & set(words))
        )

    def _model_name(self, value: Value) -> str:
        """The model's name from the text of the query: `Order` of `Order.objects.get(..)`."""
        names = [part.name for part in walk(value.made) if isinstance(part, Ref)] if isinstance(value.made, Call) else []
        words = [word for name in names for word in name.split(".") if word[:1].isupper()]
        return words[0] if words else ""


def _ending(names: list[str]) -> re.Pattern[str]:
    """The calls of functions and methods of these names."""
    return re.compile(r"(?:^|\.)(?:" + "|".join(map(re.escape, sorted(names))) + r")\(\)$") if names else re.compile(r"(?!)")


def _calls(rows: tuple[Rows, ...], field: str) -> re.Pattern[str]:
    names = sorted(
        {name for spec in rows for name in getattr(spec, field)}
        | {c.rpartition(".")[2] for spec in rows for c in getattr(spec, f"calls_{field}", ())}
    )
    return _ending(names)


def _reference(text: str, shape: Shape) -> str:
    if shape.kind in ("row", "row-as-dict", "serialized-row"):
        base = re.sub(r"\.(?:__dict__|to_dict\(\)|as_dict\(\)|data)$", "", text)
        return f"{base}.{shape.key}" if re.fullmatch(r"[\w.]+", base) and "request" not in base else "its id"
    return "the ids" if shape.kind == "rows" else "the few fields that it needs"


def _is_key(expr: Expr) -> bool:
    """A text in the place of a primary key: the receiver is a mapping."""
    return isinstance(expr, Literal_) and expr.kind == "string"
