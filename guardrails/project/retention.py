"""How long what is finished is kept: on jobs, hand-overs, applications and stores."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import NEVER, Absent, Known, Setting, never_ends
from guardrails.facts.retrying import Retention
from guardrails.frameworks.forms.retrying import Kept
from guardrails.frameworks.forms.work import Spec
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import EnqueueSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Options
from guardrails.names.values import Home
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.settings.values import read


class Retentions:
    """Makes a fact of each place that says so."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver

    def facts(self) -> Iterator[Retention]:
        """The facts."""
        for model in self._ground.catalogue.models:
            for form in model.kept:
                if not (form.store and self._is_own(model, form.store)):
                    yield from self._of_applications(model, form)
        for job in self._ground.jobs.values():
            for form in job.model.kept:
                if not job.form.call and not form.call and (form.spec.arguments or form.spec.attributes):
                    yield from self._told(job.model, form, self._ground.settings.effective(job, form.spec), f"`{job.name}`")
        for seen in self._ground.sightings(EnqueueSeen):
            for form in seen.model.kept:
                answer = seen.options.first(form.spec.enqueue) if form.spec.enqueue else None
                if isinstance(answer, Hit):
                    yield from self._told(seen.model, form, read(self._resolver, answer, form.spec), f"`{seen.target}`")
        yield from self._of_calls()

    def _of_applications(self, model: Model, form: Kept) -> Iterator[Retention]:
        for stand in self._ground.settings.of_application(model, form.spec):
            yield from self._told(model, form, stand.setting, "the application")

    def _is_own(self, model: Model, spec: Spec) -> bool:
        """The setting that names the store names a class of the project."""
        answers = [stand.answer for stand in self._ground.settings.of_application(model, spec)]
        named = [(answer.home.file, value.value) for answer in answers if (value := evaluate(self._resolver, answer)) is not None]
        found = (self._resolver.imported(file, name) for file, name in named if isinstance(name, str) and "." in name)
        return any(value is not None and value.home is not None for value in found)

    def _of_calls(self) -> Iterator[Retention]:
        for seen in self._ground.calls("kept"):
            spec = seen.form.spec
            setting = read(self._resolver, Options(self._resolver, [seen.made]).first(spec.arguments), spec)
            kept = setting or Absent(NEVER if spec.default is None else spec.default, spec.source)
            at = self._ground.at(seen.model, seen.made.home, seen.made.call)
            if never_ends(kept):
                yield Retention(**at, what=seen.form.what, owner="this store", kept=kept, fix=seen.form.fix)

    def _told(self, model: Model, form: Kept, setting: Setting | None, owner: str) -> Iterator[Retention]:
        """Only what somebody set is judged."""
        if isinstance(setting, Known) and setting.value == NEVER:
            home = Home(setting.at.path, 0)
            at = self._ground.standing(model, home, Place(setting.at.path, setting.at.start, setting.at.end))
            yield Retention(**at, what=form.what, owner=owner, kept=setting, fix=form.fix)
