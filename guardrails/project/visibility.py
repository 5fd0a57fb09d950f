"""Jobs that a broker hands to a second worker while the first still runs them, or still waits to."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import NEVER, Absent, Known, Setting, Unknown, in_effect
from guardrails.facts.retrying import Visibility
from guardrails.frameworks.forms.retrying import Delivery
from guardrails.frameworks.forms.work import Spec
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import EnqueueSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.settings.values import read


class Visibilities:
    """Makes a fact of each job that stays unacknowledged while it runs, and of each hand-over that waits unacknowledged."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver

    def facts(self) -> Iterator[Visibility]:
        """The facts."""
        for model in self._ground.catalogue.models:
            if model.delivery is not None:
                hidden = self._hidden(model, model.delivery)
                yield from self._of_application(model, model.delivery, hidden)
                if isinstance(hidden, Known | Absent):
                    yield from self._of_jobs(model, model.delivery, hidden)
                    yield from self._of_delays(model, model.delivery, hidden)

    def _hidden(self, model: Model, form: Delivery) -> Setting:
        """How long a message is hidden: as it is set, else the broker's default; brokers that do not agree say nothing."""
        stands = [stand.setting for stand in self._ground.settings.of_application(model, form.hidden)]
        known = [one for one in stands if isinstance(one, Known)]
        if stands:
            same = len(known) == len(stands) and len({one.value for one in known}) == 1
            return known[0] if same else Unknown("it is not one number everywhere")
        if form.url is None:
            return Absent(form.hidden.default, form.hidden.source)
        defaults = {self._default(stand.answer, form) for stand in self._ground.settings.of_application(model, form.url)}
        only = defaults.pop() if len(defaults) == 1 else None
        return Absent(only, "the broker's default") if only is not None else Unknown("its broker is not known")

    def _default(self, hit: Hit, form: Delivery) -> float | None:
        constant = evaluate(self._resolver, hit)
        url = constant.value if constant is not None and isinstance(constant.value, str) else self._beginning(hit)
        return form.brokers.get(url.partition(":")[0])

    def _beginning(self, hit: Hit) -> str:
        """What an interpolated URL begins with."""
        return self._ground.text(hit.home, hit.expr).lstrip("frb'\"")[:40]

    def _of_application(self, model: Model, form: Delivery, hidden: Setting) -> Iterator[Visibility]:
        for stand in self._ground.settings.of_application(model, form.limit) if form.limit is not None else ():
            if isinstance(stand.setting, Known) and _exceeds(stand.setting, hidden):
                at = self._ground.at(model, stand.answer.home, stand.answer.expr)
                yield Visibility(**at, job="every task", hidden=hidden, limit=stand.setting, reason="may run", fix=form.fix)

    def _of_jobs(self, model: Model, form: Delivery, hidden: Setting) -> Iterator[Visibility]:
        for job in self._ground.jobs.values():
            if job.model is not model or form.late is None or not self._is_late(self._ground.settings.effective(job, form.late)):
                continue
            limit = self._ground.settings.limit(job)
            if isinstance(limit.setting, Known) and limit.setting.value != NEVER and _exceeds(limit.setting, hidden):
                definition = self._resolver.definition(job.owner or job.home)
                place = Place(job.home.file, definition.name_start, definition.name_end)
                at = self._ground.standing(model, job.home, place)
                yield Visibility(**at, job=f"`{job.name}`", hidden=hidden, limit=limit.setting, reason="may run", fix=form.fix)

    @staticmethod
    def _is_late(setting: Setting) -> bool:
        return isinstance(setting, Known) and bool(setting.value)

    def _of_delays(self, model: Model, form: Delivery, hidden: Setting) -> Iterator[Visibility]:
        spec: Spec | None = form.delay
        for seen in self._ground.sightings(EnqueueSeen) if spec is not None else ():
            answer = seen.options.first(spec.enqueue) if seen.model is model and spec is not None else None
            setting = read(self._resolver, answer, spec) if isinstance(answer, Hit) and spec is not None else None
            if isinstance(setting, Known) and isinstance(answer, Hit) and _exceeds(setting, hidden):
                at = self._ground.at(model, answer.home, answer.expr)
                yield Visibility(**at, job=f"`{seen.target}`", hidden=hidden, limit=setting, reason="waits", fix=form.fix)


def _exceeds(limit: Known, hidden: Setting) -> bool:
    until = in_effect(hidden)
    return isinstance(limit.value, int | float) and isinstance(until, int | float) and limit.value >= until
