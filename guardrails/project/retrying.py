"""How failed work is tried again: by settings of a job, by a job that asks for it, by a library's decorator or call."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from guardrails.facts import NEVER, Absent, Known, Setting, Unknown
from guardrails.facts.retrying import Errors, Retry
from guardrails.finding import Repair
from guardrails.frameworks.forms.retrying import RetryForm
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import CallSeen, EnqueueSeen, JobSeen, MarkSeen
from guardrails.names.options import Hit, Made, Options
from guardrails.names.values import Home
from guardrails.outline import Call, Expr, Function, Group, Literal_, Site, dotted, enclosing
from guardrails.place import Place
from guardrails.project.clauses import Clause, beside, clauses
from guardrails.project.errors import ErrorNames
from guardrails.project.failure_logs import identified
from guardrails.project.ground import Ground
from guardrails.project.pace import Pace
from guardrails.project.repairs import Repairs


class Retrying:
    """Makes a fact of each retry policy, of each job that asks for a retry, of each library's retry."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver
        self._pace, self._repairs = Pace(ground), Repairs(ground.resolver)
        self._errors = ErrorNames(ground)
        self._policies = {form.policy: form for model in ground.catalogue.models for form in model.retries if form.policy}

    def ends(self) -> Iterator[Home]:
        """Where a library's retry may be at fault: who calls that must be known."""
        yield from (mark.home for mark in self._ground.marks("retries"))
        yield from (seen.made.home for seen in self._ground.calls("retries") if not seen.form.app_wide)

    def facts(self) -> Iterator[Retry]:
        """The facts, jobs that share a policy as one."""
        found: dict[tuple[Place, str], Retry] = {}
        for fact in (*self._of_jobs(), *self._of_enqueues(), *self._of_libraries()):
            key = (fact.place, fact.how)
            known = found.get(key)
            found[key] = fact if known is None else _joined(known, fact)
        yield from found.values()

    def _of_jobs(self) -> Iterator[Retry]:
        for job in self._ground.jobs.values():
            yield from self.of_job(job)

    def of_job(self, job: JobSeen) -> Iterator[Retry]:
        """What a job's own declaration, its class, its settings and its body say."""
        for form in job.model.retries:
            if form.when is not None:
                yield from self._automatic(job, form)
            elif form.method:
                yield from self._asked(job, form)

    def _automatic(self, job: JobSeen, form: RetryForm) -> Iterator[Retry]:
        """A setting of the job switches retries on."""
        assert form.when is not None
        hit = self._ground.settings.answer(job, form.when)
        if not isinstance(hit, Hit) or (job.form.call and form.when.enqueue):
            return
        if _is_one_of(hit.expr, form.endless_when):
            grows = Absent(bool(form.growth and form.growth.default))
            yield self._fact(job.model, form, hit, job.name, Known(NEVER, hit.place), grows, Absent(0))
        elif (policy := self._policy(hit)) is not None:
            yield self._by_policy(job.model, job.name, hit, *policy)
        elif form.attempts and not _is_off(hit.expr):
            attempts = self._attempts(job, form)
            fact = self._fact(
                job.model, form, hit, job.name, attempts, self._pace.of_job(job, form), self._pace.delay(job, form),
                self._job_errors(job, form), self._is_set(job, form),
            )  # fmt: skip
            growth, delay = (self._ground.settings.answer(job, one) if one is not None else None for one in (form.growth, form.delay))
            evenly = isinstance(growth, Hit) and _is_off(growth.expr) and isinstance(delay, Hit)
            capped = form.capped is not None and isinstance(self._ground.settings.answer(job, form.capped), Hit)
            steady, repair = not identified(self._resolver.definition(job.home)), self._repairs.backoff_on_job(form, job, attempts)
            yield msgspec.structs.replace(fact, steady=steady, evenly=evenly, capped=capped, repair=repair)

    def _of_enqueues(self) -> Iterator[Retry]:
        for seen in self._ground.sightings(EnqueueSeen):
            yield from self.of_enqueue(seen)

    def of_enqueue(self, seen: EnqueueSeen) -> Iterator[Retry]:
        """The policies that an enqueue carries."""
        for form in seen.model.retries:
            answer = seen.options.first(form.when.enqueue) if form.when is not None and form.when.enqueue else None
            policy = self._policy(answer) if isinstance(answer, Hit) else None
            if policy is not None and isinstance(answer, Hit):
                yield self._by_policy(seen.model, seen.target, answer, *policy)
            elif isinstance(answer, Hit) and form.attempts and not _is_off(answer.expr):
                yield self._by_options(seen.model, seen.target, form, answer, seen.options)

    def _policy(self, hit: Hit) -> tuple[RetryForm, Made] | None:
        """The policy that an expression makes, with the call that makes it."""
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        form = self._policies.get(value.path.removesuffix("()")) if value is not None else None
        if form is None or value is None or not isinstance(value.made, Call) or value.made_in is None:
            return None
        return form, Made(value.made, value.made_in)

    def _by_policy(self, model: Model, name: str, at: Hit, form: RetryForm, made: Made) -> Retry:
        options = Options(self._resolver, [made])
        fact = self._by_options(model, name, form, Hit(made.call, made.home), options)
        return msgspec.structs.replace(fact, repair=self._repairs.backoff(form, made, self._pace.attempts(options, form)))

    def _by_options(self, model: Model, name: str, form: RetryForm, hit: Hit, options: Options) -> Retry:
        errors = self._library_errors(options, form)
        return self._fact(
            model, form, hit, name, self._pace.attempts(options, form), self._pace.of_call(options, form),
            self._pace.seconds(options, form), errors, self._is_given(options, form),
        )  # fmt: skip

    def _of_libraries(self) -> Iterator[Retry]:
        for mark in self._ground.marks("retries"):
            expr: Expr | None = mark.made.call if mark.made is not None else None
            options = Options(self._resolver, [mark.made] if mark.made is not None else [])
            yield self._library(mark, options, mark.home, mark.at, f"@{dotted(expr.func)}" if isinstance(expr, Call) else "")
        for seen in self._ground.calls("retries"):
            options = Options(self._resolver, [seen.made])
            place = seen.made.place
            yield self._library(seen, options, seen.made.home, place, dotted(seen.made.call.func))

    def _library(self, seen: MarkSeen | CallSeen, options: Options, home: Home, place: Place, name: str) -> Retry:
        form: RetryForm = seen.form
        bare = not options.calls and not name
        how = f"@{self._resolver.text(place.path, place.start, place.end).lstrip('@')}" if bare else name
        attempts: Setting = Unknown("the framework bounds it", None, "yes") if form.raised else self._pace.attempts(options, form)
        return Retry(
            **self._ground.standing(seen.model, home, place),
            kind="asked" if form.raised else "automatic" if form.app_wide else "library",
            how=how,
            jobs=("the application's jobs",) if form.app_wide else (),
            attempts=attempts,
            grows=self._pace.of_call(options, form),
            delay=self._pace.seconds(options, form),
            errors=self._library_errors(options, form),
            spares=self._is_given(options, form),
            scattered=self._pace.is_scattered(options, form),
            bounded=form.bounded,
            paced=form.paced,
            chosen=form.chosen,
            repair=self._library_repair(form, options, home, attempts),
        )

    def _library_repair(self, form: RetryForm, options: Options, home: Home, attempts: Setting) -> Repair | None:
        """Delays that grow, where the retry is a call; its function's first parameter is who asks."""
        params = self._resolver.definition(home).params
        owner = params[0].name if params else ""
        return self._repairs.backoff(form, options.calls[0], attempts, owner) if options.calls else None

    def _fact(
        self, model: Model, form: RetryForm, hit: Hit, name: str, attempts: Setting, grows: Setting, delay: Setting,
        errors: Errors | None = None, spares: bool = False,
    ) -> Retry:  # fmt: skip
        text = self._ground.text(hit.home, hit.expr)
        how = (*form.when.arguments, *form.when.attributes, *form.when.settings)[0] if form.when is not None else text
        return Retry(
            **self._ground.at(model, hit.home, hit.expr), kind="automatic", how=how, jobs=(name,), attempts=_further(attempts, form),
            grows=grows, delay=delay, errors=errors, spares=spares, bounded=form.bounded, paced=form.paced, chosen=form.chosen,
        )  # fmt: skip

    def _attempts(self, job: JobSeen, form: RetryForm) -> Setting:
        """How often the framework tries a job again: the first of its settings that is set."""
        setting: Setting = Absent(None)
        for spec in form.attempts:
            setting = self._ground.settings.effective(job, spec)
            if not isinstance(setting, Absent):
                return setting
        return Absent(NEVER if setting.default is None else setting.default, setting.source) if isinstance(setting, Absent) else setting

    def _is_set(self, job: JobSeen, form: RetryForm) -> bool:
        answer = self._ground.settings.answer(job, form.spared) if form.spared is not None else None
        return answer == "maybe" or (isinstance(answer, Hit) and not _is_off(answer.expr))

    def _is_given(self, options: Options, form: RetryForm) -> bool:
        answer = options.first(form.spared.arguments) if form.spared is not None else None
        return answer == "maybe" or (isinstance(answer, Hit) and not _is_off(answer.expr))

    def _job_errors(self, job: JobSeen, form: RetryForm) -> Errors | None:
        answer = self._ground.settings.answer(job, form.errors) if form.errors is not None else None
        return self._errors.of(answer) if isinstance(answer, Hit) else None

    def _library_errors(self, options: Options, form: RetryForm) -> Errors | None:
        answer = options.first(form.errors.arguments) if form.errors is not None else None
        return self._errors.of(answer, form.everything) if isinstance(answer, Hit) else None

    def _asked(self, job: JobSeen, form: RetryForm) -> Iterator[Retry]:
        """The job asks for a retry of itself after a failure: in an except clause, or with the exception in hand."""
        function = self._resolver.definition(job.home)
        names = {f"{function.params[0].name}.{form.method}"} if function.params else set()
        names.add(f"{function.name}.{form.method}")
        found = list(clauses(job.home, function))
        for site in function.sites:
            if dotted(site.call.func) in names:
                clause = _clause_around(function, site, found)
                if clause is not None or any(arg.name == "exc" for arg in site.call.args):
                    yield self._ask(job, form, site, clause, found)

    def _ask(self, job: JobSeen, form: RetryForm, site: Site, clause: Clause | None, found: list[Clause]) -> Retry:
        made = Made(site.call, job.home)
        options = Options(self._resolver, [made])
        own = self._pace.own_attempts(options, form)
        errors = self._errors.caught(clause) if clause is not None else None
        grows = self._pace.of_call(options, form)
        if isinstance(grows, Absent) and self._pace.is_paced_in_vain(job, form):
            grows = Unknown("its backoff is ignored, which is told where it stands", None, "yes")
        return Retry(
            **self._ground.at(job.model, job.home, site.call), kind="asked", how=dotted(site.call.func), jobs=(job.name,),
            attempts=own or self._attempts(job, form), grows=grows, delay=self._pace.asked(options, job, form), errors=errors,
            spares=clause is not None and self._chooses(job.home, clause, site, found), bounded=form.bounded, paced=form.paced,
            chosen=form.chosen, repair=self._repairs.backoff(form, made, Absent(None), dotted(site.call.func).rpartition(".")[0]),
        )  # fmt: skip

    def _chooses(self, home: Home, clause: Clause, site: Site, found: list[Clause]) -> bool:
        """The clause does not retry everything: others come before it, or it looks at the error first."""
        function = self._resolver.definition(home)
        block = function.steps[site.step].block
        looked = any(step.kind == "test" and step.block == clause.block and step.start < site.call.start for step in function.steps)
        return block != clause.block or looked or any(True for _ in beside(found, clause))


def _joined(one: Retry, other: Retry) -> Retry:
    return msgspec.structs.replace(one, jobs=tuple(dict.fromkeys((*one.jobs, *other.jobs))), steady=one.steady and other.steady)


def _clause_around(function: Function, site: Site, found: list[Clause]) -> Clause | None:
    """The innermost except clause in which a call stands."""
    around = list(enclosing(function, function.steps[site.step].block))
    return next((clause for block in around for clause in found if function.blocks[clause.block] is block), None)


def _further(attempts: Setting, form: RetryForm) -> Setting:
    """How often work is tried again, where the setting counts the first run, too."""
    if form.whole and isinstance(attempts, Known) and isinstance(attempts.value, int | float):
        return Known(attempts.value - 1, attempts.at)
    return attempts


def _is_off(expr: Expr) -> bool:
    """None, false, zero, an empty list: as if it were not set."""
    if isinstance(expr, Literal_):
        return not expr.value
    return isinstance(expr, Group) and not expr.items


def _is_one_of(expr: Expr, values: tuple[object, ...]) -> bool:
    return isinstance(expr, Literal_) and any(expr.value is value for value in values)
