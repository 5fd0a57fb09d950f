"""What stands near a job: the attributes of its class and of its base task, a bound inside its body."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import NEVER, Known, Setting, Unknown
from guardrails.frameworks.forms.work import Spec, Timeout
from guardrails.frameworks.sightings import JobSeen
from guardrails.names.evaluate import as_text
from guardrails.names.options import Answer, Hit, Options
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Literal_
from guardrails.place import Place
from guardrails.project.settings.values import read


class Near:
    """Looks at a job's surroundings."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def setting(self, job: JobSeen, spec: Spec) -> Setting | None:
        """What the classes of a job set; a class that was not read may set it."""
        for owner in self.classes(job, spec):
            setting = self._on_class(owner, spec)
            if setting is not None:
                return setting
        return None

    def answer(self, job: JobSeen, spec: Spec) -> Answer:
        """The same, as it is written."""
        for owner in self.classes(job, spec) if spec.attributes else ():
            if owner is None:
                return "maybe"
            for answer in self._answers(owner, spec):
                if answer is not None:
                    return answer
        return None

    def bound_inside(self, job: JobSeen, spec: Timeout) -> Setting | None:
        """A call in the body that bounds it."""
        for site in self._resolver.definition(job.home).sites if spec.inside else ():
            value = self._resolver.resolve(job.home.file, job.home.function, site.call.func)
            if value is not None and value.path in spec.inside:
                return Unknown("its body limits itself", Place(job.home.file, site.call.start, site.call.end), "yes")
        return None

    def classes(self, job: JobSeen, spec: Spec | None = None) -> Iterator[Home | None]:
        """The classes whose attributes are the job's options; None for one that was not read."""
        spec = spec or job.model.timeout
        if job.owner is not None:
            yield job.owner
        if job.listed_in is not None:
            yield job.listed_in
        bases = [job.options.first(spec.base)] if spec is not None and spec.base and job.options.calls else []
        if spec is not None and spec.app_base and job.app is not None:
            bases.append(Options(self._resolver, [job.app]).first(spec.app_base))
        for base in bases:
            if isinstance(base, Hit):
                yield self._class(base)

    def attribute(self, home: Home, name: str) -> Answer:
        """What a class itself assigns to a name; `options.retries` is a key of the mapping that it assigns."""
        head, *keys = name.split(".")
        for step in self._resolver.definition(home).steps:
            if step.value is not None and any(getattr(target, "name", "") == head for target in step.targets):
                answer: Answer = Hit(step.value, home)
                for key in keys:
                    answer = Options(self._resolver, []).entry(answer, key) if isinstance(answer, Hit) else answer
                return answer
        return None

    def _class(self, base: Hit) -> Home | None:
        """The class that an expression, or a dotted string, names."""
        named = as_text(base.expr)
        value = (
            self._resolver.imported(base.home.file, named.replace(":", "."))
            if named is not None
            else self._resolver.resolve(base.home.file, base.home.function, base.expr)
        )
        known = value is not None and value.home is not None and self._resolver.definition(value.home).kind == "class"
        return value.home if known and value is not None else None

    def _answers(self, owner: Home, spec: Spec) -> Iterator[Answer]:
        for home in self._resolver.bases(owner):
            if isinstance(home, Home):
                yield from (self.attribute(home, name) for name in spec.attributes)

    def _on_class(self, owner: Home | None, spec: Spec) -> Setting | None:
        """What a class or its bases set; a base that was not read may set it."""
        if owner is None:
            return Unknown("its base class was not read")
        endless = isinstance(spec, Timeout) and spec.endless_attributes
        for answer in self._answers(owner, spec):
            if isinstance(answer, Hit) and endless and isinstance(answer.expr, Literal_) and answer.expr.value is None:
                return Known(NEVER, answer.place)
            setting = read(self._resolver, answer, spec)
            if setting is not None:
                return setting
        return None
