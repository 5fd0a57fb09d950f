"""All models, loaded and indexed by the symbols that they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from guardrails.frameworks.faults import faults
from guardrails.frameworks.model import EnqueueForm, Extension, HandlerForm, JobForm, LogForm, Model, ScheduleForm, SpawnForm

FOLDER = Path(__file__).parent
MAX_MODEL, MAX_DEPTH = 200_000, 500  # characters of one model, and how deep it may be nested
_ERRORS = (msgspec.ValidationError, ValueError)


class ModelError(Exception):
    """A model that cannot be used: one sentence with file, line, what and remedy."""


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


def load(extra: Iterable[tuple[str, str]] = (), remember: Callable[[str, Callable[[], bytes]], bytes] | None = None) -> Catalogue:
    """The shipped models and the user's. `remember(key, make)` may keep the converted models between runs (YAML is slow to parse)."""
    texts = [*builtin(), *extra]

    def make() -> bytes:
        return msgspec.msgpack.encode([parse(name, text) for name, text in texts])

    if remember is None:
        return Catalogue(tuple(parse(name, text) for name, text in texts))
    key = "\0".join(f"{name}\0{text}" for name, text in texts)
    try:
        return Catalogue(tuple(msgspec.msgpack.decode(remember(key, make), type=list[Model])))
    except _ERRORS:
        return Catalogue(tuple(parse(name, text) for name, text in texts))


class Catalogue:
    """The models by symbol. Every table maps a symbol to its (model, form) pairs."""

    def __init__(self, models: tuple[Model, ...]) -> None:
        self.models = models
        self.aliases: dict[str, str] = {}
        self.returns: dict[str, str] = {}
        self.job_decorators: dict[str, tuple[Model, JobForm]] = {}
        self.job_bases: dict[str, tuple[Model, JobForm]] = {}
        self.job_calls: dict[str, tuple[Model, JobForm]] = {}
        self.job_lists: list[tuple[Model, JobForm]] = []
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
        self.schedule_decorators: dict[str, tuple[Model, ScheduleForm]] = {}
        self.logs: dict[str, tuple[Model, LogForm]] = {}
        self.log_names: dict[tuple[str, str], tuple[Model, LogForm]] = {}
        self.apps: dict[str, Model] = {}
        self.callbacks: dict[str, str] = {}
        self.extensions: dict[str, Extension] = {}
        self.whole: dict[str, str] = {}
        for model in models:
            self._add(model)
        self._index_words()

    def _add(self, model: Model) -> None:
        self.aliases.update((k, v) for key, value in model.aliases.items() for k, v in _verb_pairs(model, key, value))
        self.returns.update(model.returns)
        self.callbacks.update(model.callbacks)
        self.extensions.update((extension.call, extension) for extension in model.extensions)
        self.whole.update(model.whole)
        self.apps.update(dict.fromkeys(model.apps, model))
        for job in model.jobs:
            self._put(model, job, (job.decorator, self.job_decorators), (job.base, self.job_bases), (job.call, self.job_calls))
            if job.listed:
                self.job_lists.append((model, job))
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
        for log in model.logs:
            self._put(model, log, (log.call, self.logs))
            words = [path.rpartition(".")[2] for path in _verbs(model, log.call)]
            self.log_names.update({(receiver, word): (model, log) for receiver in log.receivers for word in words})

    @staticmethod
    def _put(model: Model, form: Any, *tables: tuple[str, dict[str, tuple[Model, Any]]]) -> None:
        for symbol, table in tables:
            for path in _verbs(model, symbol) if symbol else ():
                table.setdefault(path, (model, form))

    def _index_words(self) -> None:
        """The last words of all that may be a fact: other calls and decorators need not be resolved."""
        on_job = {method.rpartition(".")[2] for _, method in self.on_job} - {"()"}
        self.job_words = _last_words(self.job_calls)
        self.handler_words = _last_words(self.handler_calls)
        self.handler_roots: dict[str, set[str]] = {}
        for symbol in self.handler_calls:
            self.handler_roots.setdefault(symbol.rpartition(".")[2], set()).add(re.split(r"[.(]", symbol)[0])
        self.call_words = _last_words(self.enqueues, self.spawns, self.schedule_calls, self.logs) | on_job | frozenset(self.loose)
        self.log_words = frozenset(word for _, word in self.log_names)
        self.decorator_words = _last_words(self.job_decorators, self.handler_decorators, self.schedule_decorators)
        self.handler_methods = frozenset(name for _, form in self.handler_bases.values() for name in form.methods)
        self.job_methods = frozenset(form.method for _, form in self.job_bases.values())

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
        limits = (key for model in self.models if model.timeout for key in model.timeout.settings)
        schedules = (form.setting for model in self.models for form in model.schedules if form.setting)
        return frozenset((*limits, *schedules))

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
