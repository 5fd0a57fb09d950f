"""Settings that their framework drops, where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from guardrails.facts.retrying import IgnoredSetting
from guardrails.frameworks.forms.retrying import Ignored
from guardrails.frameworks.forms.work import Spec
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import EnqueueSeen, JobSeen
from guardrails.names.options import Hit
from guardrails.outline import Literal_
from guardrails.project.ground import Ground
from guardrails.project.secrets import words_of


class IgnoredSettings:
    """Makes a fact of each."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver
        self._is_read = cache(self._reads)

    def facts(self) -> Iterator[IgnoredSetting]:
        """One setting of a job, the first: the rest mostly belongs to it."""
        for job in self._ground.jobs.values():
            found = next((fact for form in job.model.ignored for fact in self._of_job(job, form)), None)
            if found is not None:
                yield found
        for seen in self._ground.sightings(EnqueueSeen):
            yield from (fact for form in seen.model.ignored if form.enqueue for fact in self._of_enqueue(seen, form))
        for model in self._ground.catalogue.models:
            yield from (fact for form in model.ignored if form.setting for fact in self._of_settings(model, form))

    def _of_job(self, job: JobSeen, form: Ignored) -> Iterator[IgnoredSetting]:
        if any(self._ground.settings.answer(job, Spec(arguments=(name,), attributes=(name,))) is not None for name in form.unless):
            return
        if form.unless_set and self._ground.settings.answer(job, Spec(settings=form.unless_set, app=form.unless_set)) is not None:
            return
        if form.argument and not job.form.call:
            answer = job.options.first((form.argument,))
            if isinstance(answer, Hit) and not self._may_be_read(job, form.argument):
                yield self._fact(job.model, answer, form.argument, f"`{job.name}`", form)
        elif form.attribute:
            for owner in (job.owner, job.listed_in):
                answer = self._ground.settings.attribute(owner, form.attribute) if owner is not None else None
                if isinstance(answer, Hit) and owner is not None and not self._is_read(form.attribute):
                    yield self._fact(job.model, answer, form.attribute, f"`{self._resolver.definition(owner).name}`", form)

    def _of_enqueue(self, seen: EnqueueSeen, form: Ignored) -> Iterator[IgnoredSetting]:
        """The function takes no argument of that name itself."""
        job = self._ground.jobs.get(seen.job)
        drops = seen.form.call in form.calls if form.calls else "rest" in seen.form.payload
        answer = seen.options.get(form.enqueue) if drops else None
        if not isinstance(answer, Hit) or job is None or job.symbol.startswith("?"):
            return
        params = self._resolver.definition(job.home).params
        if not any(param.name == form.enqueue or param.kind == "**" for param in params):
            yield self._fact(seen.model, answer, form.enqueue, f"the hand-over of `{seen.target}`", form)

    def _of_settings(self, model: Model, form: Ignored) -> Iterator[IgnoredSetting]:
        """A name of a settings module, or of a class that stands for one, that nothing reads."""
        for entry in self._ground.settings.assigned((form.setting,), ()):
            home = entry.hit.home
            off = isinstance(entry.hit.expr, Literal_) and not entry.hit.expr.value
            part = self._resolver.part(home)
            scope = self._resolver.definition(home)
            whole = home.function == 0 or (scope.kind == "class" and words_of(scope.name)[-1:] in (["settings"], ["configuration"]))
            bound = part.bindings(home.function).get(form.setting, ()) if whole else ()
            stands = any(getattr(one, "value", None) == entry.hit.expr for one in bound)
            if stands and not off and len(re.findall(rf"\b{form.setting}\b".encode(), self._ground.code.text(home.file))) == 1:
                yield self._fact(model, entry.hit, form.setting, "these settings", form)

    def _fact(self, model: Model, hit: Hit, name: str, owner: str, form: Ignored) -> IgnoredSetting:
        at = self._ground.standing(model, hit.home, hit.place)
        return IgnoredSetting(**at, name=name, owner=owner, why=form.why, instead=form.instead)

    def _may_be_read(self, job: JobSeen, name: str) -> bool:
        """A base class of the project may look at it, and so may whoever reads an attribute of that name."""
        spec = job.model.timeout
        return (spec is not None and bool(spec.base) and job.options.first(spec.base) is not None) or self._is_read(name)

    def _reads(self, name: str) -> bool:
        """Somewhere an attribute of that name is read."""
        pattern = re.compile(rf"\.{name}\b(?!\s*=[^=])|getattr\([^)]*[\"']{name}[\"']".encode())
        code = self._ground.code
        return any(code.is_read(path) and pattern.search(code.text(path)) for path in code.words.holding(name))
