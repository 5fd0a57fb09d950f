"""Keys that are made anew on every run: of an enqueue, in an argument that is a key, in a header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import msgspec

from guardrails.facts.flow import UnstableKey
from guardrails.finding import Related
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import EnqueueSeen, JobSeen
from guardrails.names.code import Part, last_word
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit
from guardrails.names.values import Home
from guardrails.outline import (
    Attr,
    Call,
    Closure,
    Expr,
    Function,
    Group,
    Index,
    Literal_,
    Op,
    Pair,
    Ref,
    Step,
    children,
    dotted,
    receiver,
    walk,
)
from guardrails.place import Place
from guardrails.project import key_functions, unpacking
from guardrails.project.ground import Ground
from guardrails.project.link import Linker

_SECONDS = re.compile(r"%[SfsTXc]|second|%-?S")
_DEEPEST = 4
_SIGNS = (b"idempoten", b"dedup", b"delivery", b"webhook-id", b"svix-id", b"clientrequesttoken", b"clienttoken")


class _Key(msgspec.Struct, frozen=True):
    """A place that holds a key: its name, what carries it, the value."""

    name: str
    carrier: str
    value: Hit


class Unstable:
    """Makes a fact of each key that another run would make differently."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver
        self._model: Model | None = next((model for model in ground.catalogue.models if model.keying is not None), None)
        keyings = [model.keying for model in ground.catalogue.models if model.keying is not None]
        self._calls = frozenset(path for keying in keyings for path in keying.unstable)
        self._words = frozenset(path.rpartition(".")[2] for path in self._calls)
        self._windows = frozenset(word for keying in keyings for word in keying.windows)
        self._arguments = frozenset(name for keying in keyings for name in keying.arguments)
        self._rows = frozenset(word for keying in keyings for word in keying.rows)
        self._headers = [re.compile(keying.headers) for keying in keyings if keying.headers]
        self._carried = cache(self._carried_in)

    def ends(self) -> Iterator[Home]:
        """Where such a key is made: whether that may repeat depends on who calls it."""
        yield from (seen.made.home for seen, _ in self._enqueued())
        yield from (seen.made.home for seen, _, _ in self._made_of())
        for part in self._ground.parts():
            yield from (key.value.home for key, _ in self._carried(part.path))

    def facts(self) -> Iterator[UnstableKey]:
        """A fact a key."""
        for seen, key in self._enqueued():
            source = self._source(key.value)
            if source is not None:
                yield self._of_enqueue(seen, key, source)
        yield from (self._of_enqueue(seen, key, source) for seen, key, source in self._made_of())
        yield from self._declared()
        for part in self._ground.parts() if self._model is not None else ():
            for key, source in self._carried(part.path):
                assert self._model is not None
                at = self._ground.at(self._model, key.value.home, key.value.expr)
                yield UnstableKey(**at, key=key.name, carrier=key.carrier, source=_shown(source), made=self._related(key, source))

    def _of_enqueue(self, seen: EnqueueSeen, key: _Key, source: Hit) -> UnstableKey:
        at = self._ground.at(seen.model, seen.made.home, seen.made.call)
        made, received = self._related(key, source), bool(seen.form.receives)
        return UnstableKey(
            **at, key=key.name, carrier=key.carrier, source=_shown(source), made=made, job=seen.job, received=received
        )  # fmt: skip

    @staticmethod
    def _related(key: _Key, source: Hit) -> Related:
        return Related(source.place, f"every run makes another `{key.name}` here")

    def _enqueued(self) -> Iterator[tuple[EnqueueSeen, _Key]]:
        for seen in self._ground.sightings(EnqueueSeen):
            key = Linker.declared_key(seen)
            hit = seen.options.first(key.arguments) if key.arguments and not seen.form.signature else None
            if not isinstance(hit, Hit) or self._resolver.part(seen.made.home).language != "python":
                continue
            if self._source(hit) is not None and all(self._has(seen, name, value) for name, value in key.requires.items()):
                yield seen, _Key(key.how.partition("=")[0].strip("`"), seen.target, hit)

    def _made_of(self) -> Iterator[tuple[EnqueueSeen, _Key, Hit]]:
        """What the payload's fields are given of which the job's declaration makes the key."""
        for seen in self._ground.sightings(EnqueueSeen):
            by_job = seen.form.unpacks and not seen.form.signature and seen.form.key is None
            job = self._ground.jobs.get(seen.job) if by_job else None
            made = key_functions.function_of(self._resolver, job) if job is not None else None
            for name, hit in key_functions.parts(self._resolver, seen, job, made) if job is not None and made is not None else ():
                source = self._source(hit) or self._factory(hit)
                if source is not None:
                    yield seen, _Key(name, seen.target, hit), source

    def _factory(self, hit: Hit) -> Hit | None:
        """A function that is called for a value that nobody gives: `uuid4`."""
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr) if isinstance(hit.expr, Ref | Attr) else None
        return hit if value is not None and value.path in self._calls else None

    def _declared(self) -> Iterator[UnstableKey]:
        """Key functions that give another key for the same payload."""
        for job in self._ground.jobs.values():
            home = key_functions.function_of(self._resolver, job)
            source = self._source(Hit(Closure(0, 0, home.function), home)) if home is not None else None
            if home is not None and source is not None:
                at = self._ground.at(job.model, home, source.expr)
                made = Related(self._place(job), f"it makes the keys of `{job.name}`")
                yield UnstableKey(**at, key="key", carrier=job.name, source=_shown(source), made=made, job=job.symbol, always=True)

    def _place(self, job: JobSeen) -> Place:
        definition = self._resolver.definition(job.home)
        return Place(job.home.file, definition.name_start, definition.name_end)

    @staticmethod
    def _has(seen: EnqueueSeen, name: str, value: object) -> bool:
        answer = seen.options.get(name)
        return isinstance(answer, Hit) and (not isinstance(answer.expr, Literal_) or answer.expr.value == value)

    def _carried_in(self, path: str) -> tuple[tuple[_Key, Hit], ...]:
        part = self._ground.code.part(path)
        text = self._ground.code.text(path).lower() if part.language == "python" else b""
        if not any(sign in text for sign in _SIGNS):
            return ()
        found = []
        for index, function in enumerate(part.functions):
            if function.kind in ("function", "closure"):
                for key in self._keys(part, index, function):
                    source = self._source(key.value)
                    if source is not None:
                        found.append((key, source))
        return tuple(found)

    def _keys(self, part: Part, index: int, function: Function) -> Iterator[_Key]:
        """Arguments, entries and items whose name says that they are a key."""
        home = Home(part.path, index)
        for site in function.sites:
            word = last_word(site)
            if word not in self._rows and not word[:1].isupper():
                named = (arg for arg in site.call.args if arg.name in self._arguments)
                yield from (_Key(arg.name, dotted(site.call.func), Hit(arg.value, home)) for arg in named)
        for step in function.steps:
            for target in step.targets if step.value is not None else ():
                name = as_text(target.key) if isinstance(target, Index) else None
                if name is not None and self._is_key(name) and step.value is not None:
                    yield _Key(name, "", Hit(step.value, home))
            for expr in walk(step.value) if step.value is not None else ():
                for item in expr.items if isinstance(expr, Group) and expr.kind == "dict" else ():
                    name = as_text(item.key) if isinstance(item, Pair) else None
                    if name is not None and isinstance(item, Pair) and self._is_key(name):
                        yield _Key(name, "", Hit(item.value, home))

    def _is_key(self, name: str) -> bool:
        return name in self._arguments or any(pattern.search(name) for pattern in self._headers)

    def _source(self, hit: Hit, depth: int = 0) -> Hit | None:
        """The call in an expression, or in what its names were given, that gives another value on every run."""
        if depth > _DEEPEST:
            return None
        if isinstance(hit.expr, Closure):
            inner = unpacking.returned(self._resolver, Home(hit.home.file, hit.expr.function))
            return next((source for one in inner if (source := self._source(one, depth + 1)) is not None), None)
        todo: list[Expr] = [hit.expr]
        while todo:
            expr = todo.pop()
            if self._is_window(expr):
                continue
            if isinstance(expr, Call) and self._changes(hit.home, expr):
                return Hit(expr, hit.home)
            if isinstance(expr, Ref) and "." not in expr.name:
                found = self._named(hit.home, expr, depth)
                if found is not None:
                    return found
            todo.extend(reversed(children(expr)))
        return None

    def _named(self, home: Home, ref: Ref, depth: int) -> Hit | None:
        """What a local variable was given before it is used."""
        for step in self._resolver.part(home).stores(home.function).get(ref.name, ()):
            if step.value is not None and step.start < ref.start and step.value is not ref:
                found = self._source(Hit(step.value, home), depth + 1)
                if found is not None and not _kept(self._resolver.definition(home), step, ref.name):
                    return found
        return None

    def _changes(self, home: Home, call: Call) -> bool:
        word = dotted(call.func).rpartition(".")[2]
        value = self._resolver.resolve(home.file, home.function, call) if word not in ("str", "hash", "int", "format", "join") else None
        if value is None or value.path.endswith(("[*]", "]")):
            return False
        return value.path.removesuffix("()") in self._calls

    def _is_window(self, expr: Expr) -> bool:
        """A time that is rounded to a day, an hour, a period: a run that is repeated soon makes the same."""
        if isinstance(expr, Op) and expr.op in ("//", "%"):
            return True
        if isinstance(expr, Call | Attr | Ref):
            text = dotted(expr).removesuffix("()")
            last = text.rpartition(".")[2]
            if last in self._windows and receiver(expr) is not None:
                return True
            formats = [part for arg in getattr(expr, "args", ()) if (part := as_text(arg.value)) is not None]
            return last == "strftime" and bool(formats) and not _SECONDS.search(formats[-1])
        return False


def _kept(function: Function, step: Step, name: str) -> bool:
    """The value is stored on something that outlives the run, and read from there again."""
    return any(
        isinstance(one.value, Ref) and one.value.name == name and any("." in dotted(target) for target in one.targets)
        for one in function.steps
        if one.kind == "assign" and one.start > step.start
    )


def _shown(source: Hit) -> str:
    return dotted(source.expr)
