"""All models, loaded and indexed by the symbols that they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from guardrails.frameworks.faults import faults
from guardrails.frameworks.forms import retrying
from guardrails.frameworks.forms.data import LogForm
from guardrails.frameworks.forms.web import Extension, HandlerForm
from guardrails.frameworks.forms.work import EnqueueForm, JobForm, ScheduleForm, SpawnForm
from guardrails.frameworks.model import ROLES, Model
from guardrails.names.queries import Queries

FOLDER = Path(__file__).parent
MAX_MODEL, MAX_DEPTH = 200_000, 500  # characters of one model, and how deep it may be nested
_ERRORS = (msgspec.ValidationError, ValueError)


class ModelError(Exception):
    """A model that cannot be used: one sentence with file, line, what and remedy."""


@cache
def parse(name: str, text: str) -> Model:
    """One model from YAML. Raises ModelError with file and line."""
    import yaml

    if len(text) > MAX_MODEL:
        raise ModelError(f"{name}:1: this framework model is longer than {MAX_MODEL // 1000} kB; split it, or take out what is no model")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if _may_be_deep(text):  # the loader in C has no guard of its own
            _refuse_depth(yaml.parse(text, Loader=loader))
        data: Any = yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise ModelError(
            f"{name}:{line}: this framework model is not valid YAML ({getattr(error, 'problem', None) or error}); mend it there"
        ) from None
    except (ValueError, RecursionError) as error:
        why = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise ModelError(f"{name}:1: this framework model cannot be read ({why}); mend it there") from None
    try:
        model = msgspec.convert(data, Model)
    except msgspec.ValidationError as error:
        raise ModelError(
            f"{name}:{_line_of(text, str(error))}: {_plain(error)}; see schemas/framework.schema.json for what a model may say"
        ) from None
    fault = next(faults(model), None)
    if fault is not None:
        key, what = fault
        raise ModelError(f"{name}:{_line_of(text, f'`{key}`')}: {what}")
    return model


def _may_be_deep(text: str) -> bool:
    return text.count("[") + text.count("{") > MAX_DEPTH or max(map(len, text.splitlines()), default=0) > MAX_DEPTH


def _refuse_depth(events: Iterable[Any]) -> None:
    depth = 0
    for event in events:
        kind = type(event).__name__
        depth += kind in ("SequenceStartEvent", "MappingStartEvent")
        depth -= kind in ("SequenceEndEvent", "MappingEndEvent")
        if depth > MAX_DEPTH:
            raise RecursionError


def _plain(error: Exception) -> str:
    return str(error).replace("Object", "this model").replace("`$.", "`").rstrip(".")


def _line_of(text: str, error: str) -> int:
    """The line of the key that an error names, 1 where it names none."""
    words = [word.strip("`$.[]0123456789") for word in error.split() if "`" in word]
    for word in reversed(words):
        for number, line in enumerate(text.splitlines(), 1):
            if word and line.strip().lstrip("- ").startswith(f"{word.rpartition('.')[2]}:"):
                return number
    return 1


def builtin() -> list[tuple[str, str]]:
    """Name and text of each model that is shipped."""
    return [(path.name, path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))]


def load(
    extra: Iterable[tuple[str, str]] = (), remember: Callable[[str, Callable[[], bytes]], bytes] | None = None, own: tuple[Model, ...] = ()
) -> Catalogue:
    """The shipped models, the user's as text (`extra`) and as models (`own`).

    `remember(key, make)` may keep the converted models between runs (YAML is slow to parse).
    """
    shipped = builtin()
    texts, count = [*shipped, *extra], len(shipped)

    def make() -> bytes:
        return msgspec.msgpack.encode([parse(name, text) for name, text in texts])

    if remember is None:
        known = _indexed(tuple(texts), count)
        return Catalogue((*known.models, *own), count) if own else known
    key = "\0".join(f"{name}\0{text}" for name, text in texts)
    try:
        known = _remembered(remember(key, make), count)
        return Catalogue((*known.models, *own), count) if own else known
    except _ERRORS:
        return Catalogue((*(parse(name, text) for name, text in texts), *own), count)


@lru_cache(maxsize=4)
def _indexed(texts: tuple[tuple[str, str], ...], shipped: int) -> Catalogue:
    return Catalogue(tuple(parse(name, text) for name, text in texts), shipped)


@lru_cache(maxsize=2)
def _remembered(packed: bytes, shipped: int) -> Catalogue:
    """A change is looked at twice, with the same models: as it was and as it is."""
    return Catalogue(tuple(msgspec.msgpack.decode(packed, type=list[Model])), shipped)


class Catalogue:
    """The models by symbol. Every table maps a symbol to its (model, form) pairs."""

    def __init__(self, models: tuple[Model, ...], shipped: int | None = None) -> None:
        """Where two models name one symbol the later one wins: those after the first `shipped` are the user's own."""
        self.models = models
        self._own = models[shipped:] if shipped is not None else models
        rows = [model.rows for model in models if model.rows is not None]
        self.queries = Queries(
            {name for spec in rows for name in spec.managers if name.isidentifier()},
            {name for spec in rows if spec.managers for name in spec.one},
            {name for spec in rows if spec.managers for name in spec.many},
        )
        self.aliases: dict[str, str] = {}
        self.returns: dict[str, str] = {}
        self.job_decorators: dict[str, tuple[Model, JobForm]] = {}
        self.job_bases: dict[str, tuple[Model, JobForm]] = {}
        self.job_calls: dict[str, tuple[Model, JobForm]] = {}
        self.job_lists: list[tuple[Model, JobForm]] = []
        self.job_parameters: dict[tuple[str, ...], list[tuple[Model, JobForm]]] = {}
        self.contexts: frozenset[str] = frozenset(path for model in models for path in model.contexts)
        self.enqueues: dict[str, tuple[Model, EnqueueForm]] = {}
        self.on_job: dict[tuple[str, str], EnqueueForm] = {}
        self.loose: dict[str, tuple[Model, EnqueueForm]] = {}
        self.handler_decorators: dict[str, tuple[Model, HandlerForm]] = {}
        self.handler_bases: dict[str, tuple[Model, HandlerForm]] = {}
        self.handler_calls: dict[str, tuple[Model, HandlerForm]] = {}
        self.handler_parameters: dict[str, tuple[Model, HandlerForm]] = {}
        self.handler_files: list[tuple[Model, HandlerForm]] = []
        self.spawns: dict[str, tuple[Model, SpawnForm]] = {}
        self.schedule_calls: dict[str, tuple[Model, ScheduleForm]] = {}
        self.schedules_on_job: dict[tuple[str, str], ScheduleForm] = {}
        self.schedule_decorators: dict[str, tuple[Model, ScheduleForm]] = {}
        self.logs: dict[str, tuple[Model, LogForm]] = {}
        self.log_names: dict[tuple[str, str], tuple[Model, LogForm]] = {}
        self.apps: dict[str, Model] = {}
        self.tells: dict[str, str] = {}
        self.callbacks: dict[str, str] = {}
        self.extensions: dict[str, Extension] = {}
        self.whole: dict[str, str] = {}
        self.roles: dict[str, list[tuple[str, Model, Any]]] = {}  # by the symbol of a call
        self.marks: dict[str, list[tuple[str, Model, Any]]] = {}  # by the symbol of a decorator
        self.roles_on_job: dict[tuple[str, str], list[tuple[str, Model, Any]]] = {}  # by framework and the method chain on a job
        self.loose_roles: dict[str, list[tuple[str, Model, Any]]] = {}  # by an unmistakable method name
        for number, model in enumerate(models):
            if shipped is not None and number >= shipped:
                self._make_room(model)
            self._add(model)
        self._index_words()

    def _make_room(self, model: Model) -> None:
        """Take out what shipped models say of the symbols that a user's own model names in the same role."""
        for role, _, named, path in self._named(model):
            named[path] = [one for one in named.get(path, ()) if one[0] != role or one[1] is model]
        listed = {job.listed for job in model.jobs if job.listed}
        self.job_lists = [(one, job) for one, job in self.job_lists if job.listed not in listed or one is model]

    def _add(self, model: Model) -> None:
        self.aliases.update((k, v) for key, value in model.aliases.items() for k, v in _verb_pairs(model, key, value))
        self.returns.update(model.returns)
        self.callbacks.update(model.callbacks)
        self.extensions.update((extension.call, extension) for extension in model.extensions)
        self.whole.update(model.whole)
        self.apps.update(dict.fromkeys(model.apps, model))
        self.tells.update(model.tells)
        for job in model.jobs:
            self._put(model, job, (job.decorator, self.job_decorators), (job.base, self.job_bases), (job.call, self.job_calls))
            if job.listed:
                self.job_lists.append((model, job))
            if job.parameters:
                self.job_parameters.setdefault(job.parameters, []).append((model, job))
        for enqueue in model.enqueues:
            self._put(model, enqueue, (enqueue.call, self.enqueues))
            if enqueue.on_job:
                self.on_job[model.framework, enqueue.on_job] = enqueue
            if enqueue.loose:
                self.loose[(enqueue.on_job or enqueue.call).rpartition(".")[2]] = (model, enqueue)
        for handler in model.handlers:
            self._put(
                model,
                handler,
                (handler.decorator, self.handler_decorators),
                (handler.base, self.handler_bases),
                (handler.call, self.handler_calls),
            )
            self.handler_parameters.update(dict.fromkeys(handler.parameter, (model, handler)))
            if handler.exported:
                self.handler_files.append((model, handler))
        for spawn in model.spawns:
            self._put(model, spawn, (spawn.call, self.spawns))
        for schedule in model.schedules:
            self._put(model, schedule, (schedule.call, self.schedule_calls), (schedule.decorator, self.schedule_decorators))
            if schedule.on_job:
                self.schedules_on_job[model.framework, schedule.on_job] = schedule
        for log in model.logs:
            self._put(model, log, (log.call, self.logs))
            words = [path.rpartition(".")[2] for path in _verbs(model, log.call)]
            self.log_names.update({(receiver, word): (model, log) for receiver in log.receivers for word in words})
        self._add_roles(model)

    def _add_roles(self, model: Model) -> None:
        for role, form, named, path in self._named(model):
            named.setdefault(path, []).append((role, model, form))
        for role in ROLES:
            for form in getattr(model, role):
                if on_job := getattr(form, "on_job", ""):
                    self.roles_on_job.setdefault((model.framework, on_job), []).append((role, model, form))
                    if getattr(form, "loose", False):
                        self.loose_roles.setdefault(on_job.rpartition(".")[2], []).append((role, model, form))

    def _named(self, model: Model) -> Iterator[tuple[str, Any, dict[str, list[tuple[str, Model, Any]]], str]]:
        """The calls and decorators that a model names in roles: role, form, the table that it belongs to, symbol."""
        for role in ROLES:
            for form in getattr(model, role):
                for symbol, named in ((getattr(form, "call", ""), self.roles), (getattr(form, "decorator", ""), self.marks)):
                    for path in _verbs(model, symbol) if symbol else ():
                        yield role, form, named, path

    @staticmethod
    def _put(model: Model, form: Any, *tables: tuple[str, dict[str, tuple[Model, Any]]]) -> None:
        for symbol, table in tables:
            for path in _verbs(model, symbol) if symbol else ():
                table[path] = (model, form)

    def _index_words(self) -> None:
        """The last words of all that may be a fact: other calls and decorators need not be resolved."""
        on_job = {method.rpartition(".")[2] for _, method in (*self.on_job, *self.schedules_on_job)} - {"()"}
        self.job_words = _last_words(self.job_calls)
        self.handler_words = _last_words(self.handler_calls)
        self.handler_roots: dict[str, set[str]] = {}
        for symbol in self.handler_calls:
            self.handler_roots.setdefault(symbol.rpartition(".")[2], set()).add(re.split(r"[.(]", symbol)[0])
        self.call_words = _last_words(self.enqueues, self.spawns, self.schedule_calls, self.logs, self.roles)
        self.call_words |= on_job | frozenset(self.loose)
        self.call_words |= {method.rpartition(".")[2] for _, method in self.roles_on_job} | frozenset(self.loose_roles)
        self.log_words = frozenset(word for _, word in self.log_names)
        self.decorator_words = _last_words(self.job_decorators, self.handler_decorators, self.schedule_decorators, self.marks)
        self.handler_methods = frozenset(name for _, form in self.handler_bases.values() for name in form.methods)
        self.job_methods = frozenset(form.method for _, form in self.job_bases.values())

    def members(self, symbol: str) -> frozenset[str]:
        """The attributes of a symbol that models name."""
        tables = (self.job_decorators, self.enqueues, self.schedule_calls, self.aliases)
        found = (path.removeprefix(f"{symbol}.") for table in tables for path in table if path.startswith(f"{symbol}."))
        return frozenset(re.split(r"[.(\[]", path)[0] for path in found)

    def web_words(self) -> frozenset[str]:
        """The names of what handlers are registered on: `APIRouter`, `Blueprint`, `express`."""
        symbols = (*self.handler_calls, *self.handler_decorators)
        return frozenset(word for symbol in symbols for word in re.findall(r"(\w+)\(\)", symbol))

    def words(self, language: str = "") -> frozenset[str]:
        """The words that bring a file of a language (none: any) into the first round: import roots and the models' own words."""
        models = [model for model in self.models if not language or language in model.languages]
        return frozenset(word for model in models for word in (*model.packages, *model.words))

    def signs(self) -> frozenset[str]:
        """Words that worker code has and other code hardly: the first round's, and the longer names of decorators, calls and methods."""
        tables = (self.job_decorators, self.job_calls, self.enqueues, self.loose)
        names = {symbol.rpartition(".")[2] for table in tables for symbol in table}
        return self.words() | {name for name in names if len(name) > 7}

    def settings_keys(self) -> frozenset[str]:
        """The settings keys that matter, in lower case, without prefixes."""
        limits = (key.partition(".")[0] for model in self.models if model.timeout for key in model.timeout.settings)
        schedules = (form.setting for model in self.models for form in model.schedules if form.setting)
        waits = (key.lower() for model in self.models for wait in model.waits for key in (*wait.settings, *wait.replaced, *wait.host))
        retries = (key for m in self.models for key in retrying.keys(m.delivery, *m.retries, *m.ignored, *m.kept, *m.decoded) if key)
        return frozenset((*limits, *schedules, *waits, *(key.lower() for key in retries)))

    def own_symbols(self) -> frozenset[str]:
        """The symbols of a user's own models that belong to no modelled package: a project's own helpers."""
        packages = self.packages()
        return frozenset(path for model in self._own for path in self._symbols(model) if path.split(".")[0] not in packages)

    def _symbols(self, model: Model) -> Iterator[str]:
        yield from (*model.locks, *model.records_once, *(model.trust.verifies if model.trust else ()))
        yield from (path for _, _, _, path in self._named(model))
        for form in (*model.jobs, *model.enqueues, *model.spawns):
            for symbol in (getattr(form, "call", ""), getattr(form, "decorator", "")):
                yield from _verbs(model, symbol) if symbol else ()

    def packages(self) -> frozenset[str]:
        """The import roots of all frameworks."""
        return frozenset(package for model in self.models for package in model.packages)


def _last_words(*tables: Mapping[str, object]) -> frozenset[str]:
    return frozenset(path.rpartition(".")[2] for table in tables for path in table)


def _verbs(model: Model, symbol: str) -> list[str]:
    return [symbol.replace("{verb}", verb) for verb in model.verbs] if "{verb}" in symbol else [symbol]


def _verb_pairs(model: Model, key: str, value: str) -> list[tuple[str, str]]:
    if "{verb}" not in key:
        return [(key, value)]
    return [(key.replace("{verb}", verb), value.replace("{verb}", verb)) for verb in model.verbs]
