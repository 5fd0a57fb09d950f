"""Jobs whose payload has no fixed form, or no version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from guardrails.facts.sharing import OpenPayload
from guardrails.frameworks.sightings import EnqueueSeen, JobSeen
from guardrails.names.code import Part
from guardrails.names.evaluate import as_text
from guardrails.names.values import Home
from guardrails.outline import Expr, Index, Literal_, Op, Param, Ref, dotted, walk
from guardrails.place import Place
from guardrails.project.ground import Ground

_MAPPINGS = frozenset("dict Dict Mapping MutableMapping OrderedDict defaultdict".split())
_ANYTHING = frozenset(("Any", "object"))
_PAYLOADS = frozenset("payload data event message body params job_data event_data".split())  # unannotated, they are mappings
_VERSIONS = frozenset("version schema_version payload_version message_version event_version v".split())
_INJECTED = ("self", "cls", "ctx", "context", "task", "job")
_SCHEMA = 3  # fields from which on a class is a schema and no mere value
Kind = Literal["mapping", "anything", "keywords", "schema"]


class Schemas:
    """Makes a fact of each such job."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._kinds = frozenset(path for model in ground.catalogue.models for path in model.schemas)

    def facts(self) -> Iterator[OpenPayload]:
        """A fact a job, for its first open parameter."""
        versioned = {seen.job for seen in self._ground.sightings(EnqueueSeen) if self._gives_version(seen)}
        for symbol, job in sorted(self._ground.jobs.items()):
            if symbol.startswith("?") or symbol in versioned:
                continue
            found = next((one for param in self._params(job) if (one := self._open(job, param)) is not None), None)
            if found is not None and not self._reads_version(job):
                kind, parameter, of = found
                definition = self._ground.resolver.definition(job.owner or job.home)
                place = Place(job.home.file, definition.name_start, definition.name_end)
                at = self._ground.standing(job.model, job.home, place)
                yield OpenPayload(**at, job=job.name, kind=kind, parameter=parameter, of=of)

    def _params(self, job: JobSeen) -> list[Param]:
        return filled(self._ground.resolver.definition(job.home).params)

    def _open(self, job: JobSeen, param: Param) -> tuple[Kind, str, str] | None:
        if param.kind == "**":
            if self._part(job).functions[job.home.function].parent > 0:  # a decorator's inner function hands on what it gets
                return None
            used = any(isinstance(e, Ref) and e.name.partition(".")[0] == param.name for e in self._expressions(job))
            return ("keywords", param.name, "") if used else None
        if param.kind:
            return None
        if param.annotation is None:
            return ("mapping", param.name, "") if param.name in _PAYLOADS and self._is_indexed(job, param.name) else None
        annotation = bare(param.annotation)
        last = dotted(annotation).rpartition(".")[2]
        if last in _MAPPINGS or (isinstance(annotation, Index) and _holds_anything(annotation)):
            return ("mapping", param.name, "")
        if last in _ANYTHING:
            return ("anything", param.name, "")
        return self._schema(job, param.name, annotation) if not job.form.version else None

    def _schema(self, job: JobSeen, name: str, annotation: Expr) -> tuple[Kind, str, str] | None:
        """A class of the project with several annotated fields, and no version among them."""
        value = self._ground.resolver.resolve(job.home.file, max(self._part(job).functions[job.home.function].parent, 0), annotation)
        if value is None or value.home is None or self._ground.resolver.definition(value.home).kind != "class":
            return None
        homes = [base for base in self._ground.resolver.bases(value.home) if isinstance(base, Home)]
        if not self._describes_data(value.home, homes):
            return None
        fields = [dotted(step.targets[0]) for home in homes for step in self._ground.resolver.definition(home).steps if step.annotation]
        return ("schema", name, self._ground.resolver.definition(value.home).name) if _is_unversioned(fields) else None

    def _describes_data(self, home: Home, homes: list[Home]) -> bool:
        """The class is a schema by a base or a decorator; a service or a row that is injected is none."""
        paths = {base for base in self._ground.resolver.bases(home) if isinstance(base, str)}
        for one in homes:
            for decorator in self._ground.resolver.definition(one).decorators:
                value = self._ground.resolver.resolve(one.file, 0, decorator)
                paths.add(value.path.removesuffix("()") if value is not None else "")
        return not self._kinds.isdisjoint(paths)

    def _part(self, job: JobSeen) -> Part:
        return self._ground.resolver.part(job.home)

    def _expressions(self, job: JobSeen) -> Iterator[Expr]:
        for step in self._ground.resolver.definition(job.home).steps:
            if step.value is not None:
                yield from walk(step.value)

    def _is_indexed(self, job: JobSeen, name: str) -> bool:
        reads = (f"{name}.get", f"{name}.pop", f"{name}.items")
        return any(
            (isinstance(e, Index) and dotted(e.base) == name and as_text(e.key) is not None) or (isinstance(e, Ref) and e.name in reads)
            for e in self._expressions(job)
        )

    def _reads_version(self, job: JobSeen) -> bool:
        return any(isinstance(e, Literal_) and e.value in _VERSIONS for e in self._expressions(job))

    @staticmethod
    def _gives_version(seen: EnqueueSeen) -> bool:
        for made in seen.options.calls:
            for arg in made.call.args:
                if arg.name in _VERSIONS or any(isinstance(e, Literal_) and e.value in _VERSIONS for e in walk(arg.value)):
                    return True
        return False


def _holds_anything(annotation: Index) -> bool:
    """A mapping to `Any` or `object`; one to texts or numbers is a plain value."""
    named = [dotted(part).rpartition(".")[2] for part in walk(annotation.key)]
    return dotted(annotation.base).rpartition(".")[2] in _MAPPINGS and not _ANYTHING.isdisjoint(named)


def _is_unversioned(fields: list[str]) -> bool:
    return len(fields) >= _SCHEMA and _VERSIONS.isdisjoint(fields)


def filled(params: Sequence[Param]) -> list[Param]:
    """The parameters of a job that a message fills."""
    return list(params[1:] if params and params[0].name in _INJECTED else params)


def bare(annotation: Expr) -> Expr:
    """What an optional annotation is about: `dict` of `dict | None` and of `Optional[dict]`."""
    if isinstance(annotation, Op) and annotation.op == "|":
        parts = [part for part in annotation.parts if not isinstance(part, Literal_)]
        return parts[0] if parts else annotation
    if isinstance(annotation, Index) and dotted(annotation.base).rpartition(".")[2] in ("Optional", "Annotated"):
        return annotation.key
    return annotation
