"""How often work is tried again, and whether the delays between the attempts grow."""

from __future__ import annotations

from guardrails.facts import NEVER, Absent, Known, Setting, Unknown
from guardrails.frameworks.forms.retrying import RetryForm
from guardrails.frameworks.forms.work import Spec
from guardrails.frameworks.sightings import JobSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Answer, Hit, Options
from guardrails.names.values import Home
from guardrails.outline import Expr, Group, Literal_, Op
from guardrails.project.ground import Ground
from guardrails.project.settings.values import read


class Pace:
    """Reads the attempts and delays of retry forms."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver

    def attempts(self, options: Options, form: RetryForm) -> Setting:
        """How often a call tries, at most."""
        found = self.own_attempts(options, form)
        if found is not None:
            return found
        last = form.attempts[-1] if form.attempts else Spec()
        return Absent(NEVER if last.default is None else last.default, last.source)

    def own_attempts(self, options: Options, form: RetryForm) -> Setting | None:
        """The same, None where the call does not say. A job that asks for a retry says it in the first setting; the rest are its own."""
        for spec in form.attempts[:1] if form.method else form.attempts:
            answer = options.first(spec.arguments)
            if isinstance(answer, Hit) and self._leads_to(answer, form.unending):
                return Known(NEVER, answer.place)
            setting = read(self._resolver, answer, spec)
            if setting is not None:
                return setting
        return None

    def of_job(self, job: JobSeen, form: RetryForm) -> Setting:
        """Whether the delays between a job's attempts grow."""
        grown = self._ground.settings.effective(job, form.growth) if form.growth is not None else Absent(False)
        if not isinstance(grown, Absent):
            return Known(bool(grown.value), grown.at) if isinstance(grown, Known) else grown
        return self._by_delay(self._ground.settings.answer(job, form.delay), form) if form.delay is not None else grown

    def of_call(self, options: Options, form: RetryForm) -> Setting:
        """Whether the delays between a call's attempts grow."""
        answer = options.first(form.growth.arguments) if form.growth is not None else None
        if isinstance(answer, Hit) and form.growth is not None:
            setting = self._by_symbol(answer, form) or read(self._resolver, answer, form.growth)
            return Known(bool(setting.value), setting.at) if isinstance(setting, Known) else setting or Absent(False)
        if answer == "maybe":
            return Unknown("its options arrive by an argument that was not resolved")
        if form.growth is not None and form.growth.default:
            return Absent(True, form.growth.source)
        return self._by_delay(options.first(form.delay.arguments), form) if form.delay is not None else Absent(False)

    def seconds(self, options: Options, form: RetryForm) -> Setting:
        """The first delay of a call."""
        if form.delay is None:
            return Absent(0)
        return read(self._resolver, options.first(form.delay.arguments), form.delay) or Absent(form.delay.default, form.delay.source)

    def is_scattered(self, options: Options, form: RetryForm) -> bool:
        """Chance scatters a call's delays, so that what failed together does not come back together."""
        if form.jitter is None:
            return False
        answer = options.first(form.jitter.arguments)
        off = isinstance(answer, Hit) and isinstance(answer.expr, Literal_) and not answer.expr.value
        return not off if answer is not None else bool(form.jitter.default)

    def asked(self, options: Options, job: JobSeen, form: RetryForm) -> Setting:
        """The delay of a retry that a job asks for: what it says, else the job's own."""
        said = self.seconds(options, form)
        own = next((one for one in job.model.retries if one.when is not None and one.delay is not None), None)
        return self.delay(job, own) if isinstance(said, Absent) and own is not None else said

    def delay(self, job: JobSeen, form: RetryForm) -> Setting:
        """The first delay of a job."""
        return self._ground.settings.effective(job, form.delay) if form.delay is not None else Absent(0)

    def is_paced_in_vain(self, job: JobSeen, form: RetryForm) -> bool:
        """The job has a setting that would make delays grow, were it not for this way to retry."""
        forms = [one for one in job.model.retries if one.when is not None and one.growth is not None]
        return any(isinstance(self._ground.settings.answer(job, one.growth), Hit) for one in forms if one.growth is not None)

    def _by_delay(self, answer: Answer, form: RetryForm) -> Setting:
        if answer == "maybe":
            return Unknown("its options arrive by an argument that was not resolved")
        if not isinstance(answer, Hit):
            return Absent(False)
        return self._by_symbol(answer, form) or self._by_value(answer)

    def _by_symbol(self, hit: Hit, form: RetryForm) -> Setting | None:
        """By the kind of wait that it is; of a sum, one that grows is enough."""
        parts = hit.expr.parts if isinstance(hit.expr, Op) else (hit.expr,)
        if any(self._leads_to(Hit(part, hit.home), form.growing) for part in parts):
            return Known(True, hit.place)
        if any(self._leads_to(Hit(part, hit.home), form.steady) for part in parts):
            return Known(False, hit.place)
        return None

    def _by_value(self, hit: Hit) -> Setting:
        """A list that rises grows; a constant does not; what is computed may."""
        group = self._group(hit)
        if group is not None:
            items, home = group
            numbers = {constant.value for item in items if (constant := evaluate(self._resolver, Hit(item, home))) is not None}
            return Known(len(items) > 1 and len(numbers) != 1, hit.place)
        constant = evaluate(self._resolver, hit)
        return Known(False, hit.place) if constant is not None else Unknown("its delay is computed", hit.place, "yes")

    def _group(self, hit: Hit) -> tuple[tuple[Expr, ...], Home] | None:
        if isinstance(hit.expr, Group):
            return hit.expr.items, hit.home
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        if value is not None and isinstance(value.made, Group) and value.made_in is not None:
            return value.made.items, value.made_in
        return None

    def _leads_to(self, hit: Hit, symbols: tuple[str, ...]) -> bool:
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr) if symbols else None
        return value is not None and value.path.removesuffix("()") in symbols
