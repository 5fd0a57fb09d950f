"""What a queued message says to its job, as far as the code tells."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails import fingerprint
from guardrails.facts.change import Message, Parameter
from guardrails.frameworks.sightings import JobSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit
from guardrails.names.values import Home
from guardrails.outline import Expr, Function, Group, Index, Literal_, Pair, Param, dotted
from guardrails.project.ground import Ground
from guardrails.project.schemas import bare, filled


class Messages:
    """Answers for one project."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._schemas = frozenset(path for model in ground.catalogue.models for path in model.schemas)

    def of(self, symbol: str) -> Message | None:
        """The message of a job; None where its framework queues none."""
        job = self._ground.jobs.get(symbol)
        if job is None or symbol.startswith("?") or not job.model.message:
            return None
        function = self._ground.resolver.definition(job.home)
        whole = self._ground.resolver.definition(job.owner) if job.owner else function
        named = [param for param in filled(function.params) if not param.kind]
        return Message(
            self._name(job, whole),
            tuple(Parameter(self._called(job, param), param.default is None, tuple(self._fields(job, param))) for param in named),
            any(param.kind for param in function.params),
            bool(job.form.call),
            self._tokens(job.home.file, whole.start, whole.end),
            " ".join(self._tokens(job.home.file, one.start, one.end) for one in whole.decorators),
            self._version(job),
            self._lifted(job),
        )

    @staticmethod
    def _called(job: JobSeen, param: Param) -> str:
        """By which name a message carries a parameter: one object is not named."""
        return "payload" if job.form.version else param.name

    def _version(self, job: JobSeen) -> int:
        """The version of its messages; the first where nobody says, 0 where there are none or it cannot be told."""
        answer = job.options.get(job.form.version) if job.form.version else "maybe"
        said = evaluate(self._ground.resolver, answer) if isinstance(answer, Hit) else None
        return said.value if said is not None and isinstance(said.value, int) else 1 if answer is None else 0

    def _lifted(self, job: JobSeen) -> frozenset[int] | None:
        """The older versions that it makes newer ones of."""
        answer = job.options.get(job.form.upcast) if job.form.upcast else None
        if answer is None:
            return frozenset()
        value = self._ground.resolver.resolve(answer.home.file, answer.home.function, answer.expr) if isinstance(answer, Hit) else None
        group = answer.expr if isinstance(answer, Hit) and isinstance(answer.expr, Group) else value.made if value is not None else None
        items = [item.key for item in group.items if isinstance(item, Pair)] if isinstance(group, Group) else []
        known = [key.value for key in items if isinstance(key, Literal_) and isinstance(key.value, int)]
        return frozenset(known) if isinstance(group, Group) and len(known) == len(group.items) else None

    def _name(self, job: JobSeen, function: Function) -> str:
        answer = job.options.get(job.form.name) if job.form.name and not job.form.call else None
        if isinstance(answer, Hit):
            said = evaluate(self._ground.resolver, answer)
            return said.value if said is not None and isinstance(said.value, str) else ""
        if answer is not None:
            return ""
        return f"{_module(job.home.file)}.{function.qualname}" if job.model.message == "path" else function.name

    def _fields(self, job: JobSeen, param: Param) -> Iterator[tuple[str, bool]]:
        if param.annotation is None:
            return
        resolver = self._ground.resolver
        value = resolver.resolve(job.home.file, max(resolver.definition(job.home).parent, 0), bare(param.annotation))
        if value is None or value.home is None or resolver.definition(value.home).kind != "class":
            return
        bases = list(resolver.bases(value.home))
        if self._schemas.isdisjoint(base for base in bases if isinstance(base, str)):
            return
        for home in (base for base in bases if isinstance(base, Home)):
            for step in resolver.definition(home).steps:
                if step.annotation is not None and step.targets:
                    yield dotted(step.targets[0]), step.value is None and not _is_class_variable(step.annotation)

    def _tokens(self, path: str, start: int, end: int) -> str:
        comments = [(one.start, one.end) for one in self._ground.code.part(path).outline.comments if start <= one.start < end]
        return fingerprint.tokens(self._ground.code.sources[path], start, end, comments)


def _module(path: str) -> str:
    """The name by which a file is imported from the root of the project."""
    return path.rpartition(".")[0].removesuffix("/__init__").replace("/", ".")


def _is_class_variable(annotation: Expr) -> bool:
    return isinstance(annotation, Index) and dotted(annotation.base).rpartition(".")[2] == "ClassVar"
