"""Clocks that start jobs: how often they tick, and what keeps two runs of a job apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import msgspec

from guardrails.facts.flow import Tick
from guardrails.finding import Related
from guardrails.frameworks.forms.work import ScheduleForm
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import EnqueueSeen, JobSeen, ScheduleSeen
from guardrails.names.evaluate import as_text, evaluate
from guardrails.names.options import Answer, Hit, Made, Options
from guardrails.names.values import Home
from guardrails.outline import Attr, Call, Expr, Literal_, Ref, dotted, receiver
from guardrails.place import Place
from guardrails.project import periods
from guardrails.project.ground import Ground
from guardrails.project.schedules import entries
from guardrails.project.secrets import words_of

# What a second run beside the first does once more: words of calls to somebody else, and of new rows.
_DOES = frozenset(
    "send sendmail mail notify post charge pay capture refund transfer publish dispatch deliver upload create acreate".split()
)
_NOT = re.compile(r"(?i)logger|logging|signal|cache|tempfile|queue\.Queue|argparse|os\.|span|metric")
_DEEPEST = 2


class _Seen(msgspec.Struct, frozen=True):
    """A schedule with its options: of a call or decorator, or an entry of a mapping."""

    model: Model
    form: ScheduleForm
    at: Hit
    made: Made | None
    job: JobSeen | None
    name: str

    def option(self, options: Options, selector: str) -> Answer:
        if self.made is not None:
            return Options.get(options, selector)
        head, *keys = selector.split(".")
        answer: Answer = options.entry(self.at, head)
        for key in keys:
            answer = options.entry(answer, key) if isinstance(answer, Hit) else answer
        return answer


class Ticking:
    """Makes a fact of each clock whose job was resolved."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver

    def facts(self) -> Iterator[Tick]:
        """A fact a clock."""
        for seen in self._seen():
            if seen.job is not None:
                yield self._tick(seen, seen.job)

    def _tick(self, seen: _Seen, job: JobSeen) -> Tick:
        at = self._ground.at(seen.model, seen.at.home, seen.at.expr)
        options = Options(self._resolver, [seen.made] if seen.made is not None else [])
        return Tick(
            **at,
            job=job.name or seen.name,
            symbol=job.symbol,
            when=self._words(seen.option(options, seen.form.when)) if seen.form.when else "",
            every=self._every(seen, options),
            apart=self._apart(seen, options, job),
            together=self._together(seen, options),
            doubt=self._doubt(seen, options),
            does=tuple(self._does(job.home, 0))[:3],
        )

    def _seen(self) -> Iterator[_Seen]:
        for one in self._ground.sightings(ScheduleSeen):
            if self._resolver.part(one.made.home).language != "python":
                continue
            hit = Options(self._resolver, [one.made]).get(one.form.job) if one.form.call else None
            job = self._job(hit) if isinstance(hit, Hit) else self._at(one.made.home)
            yield _Seen(one.model, one.form, Hit(one.made.call, one.made.home), one.made, job, one.job)
        settings, options = self._ground.settings, Options(self._resolver, [])
        for model in self._ground.catalogue.models:
            prefixes = settings.prefixes(model.timeout) if model.timeout else ()
            for form in model.schedules:
                for assigned in settings.assigned((form.setting,), prefixes) if form.setting else ():
                    for entry in entries(self._resolver, assigned.hit):
                        hit = options.entry(entry, form.job)
                        if isinstance(hit, Hit):
                            yield _Seen(model, form, entry, None, self._job(hit), as_text(hit.expr) or "")

    @cached_property
    def _by_home(self) -> dict[Home, JobSeen]:
        return {job.home: job for job in self._ground.jobs.values()}

    @cached_property
    def _by_word(self) -> dict[str, list[JobSeen]]:
        found: dict[str, list[JobSeen]] = {}
        for job in self._ground.jobs.values():
            for name in {job.name.rpartition(".")[2], job.symbol.rpartition(".")[2]}:
                found.setdefault(name, []).append(job)
        return found

    def _at(self, home: Home) -> JobSeen | None:
        return self._by_home.get(home)

    def _job(self, hit: Hit) -> JobSeen | None:
        """The job that an expression, a name in a string, or a signature (`task.s()`) means."""
        text = as_text(hit.expr)
        if text is not None:
            named = self._by_word.get(text.rpartition(".")[2], [])
            exact = [job for job in named if text in (job.name, job.symbol) or _is_end(job.symbol, text)]
            return exact[0] if exact else None
        expr: Expr | None = hit.expr
        while expr is not None:
            value = self._resolver.resolve(hit.home.file, hit.home.function, expr)
            if value is not None and value.home in self._by_home:
                return self._by_home[value.home]
            if value is not None and self._resolver_symbol(value.home) in self._ground.jobs:
                return self._ground.jobs[self._resolver_symbol(value.home)]
            expr = receiver(expr) if isinstance(expr, Call | Attr | Ref) else None
        return None

    def _resolver_symbol(self, home: Home | None) -> str:
        return self._resolver.symbol(home) if home is not None and home.function else ""

    def _every(self, seen: _Seen, options: Options) -> float | None:
        own = periods.of_call(self._resolver, seen.made, seen.form.clock) if seen.form.own_clock and seen.made is not None else None
        if own is not None or not seen.form.when:
            return own
        answer = seen.option(options, seen.form.when)
        return periods.of(self._resolver, answer, seen.form.clock) if isinstance(answer, Hit) else None

    def _apart(self, seen: _Seen, options: Options, job: JobSeen) -> str:
        """What keeps runs apart, in words."""
        for selector in seen.form.apart:
            if seen.option(options, selector) not in (None, "maybe"):
                return f"`{selector.rpartition('.')[2]}` drops a late run"
        if seen.form.single and not self._together(seen, options):
            return "the framework lets one run at a time"
        declared = (seen.model.key.declared if seen.model.key else ()) if job.options.calls else ()
        if any(isinstance(job.options.get(name), Hit) for name in declared):
            return "its key lets one wait at a time"
        guard = self._ground.guards.locking(job.home)
        return guard.words if guard is not None else ""

    def _together(self, seen: _Seen, options: Options) -> str:
        """A setting that lets several runs start, against the framework's default."""
        for selector, default in seen.form.single.items():
            answer = seen.option(options, selector) or self._default(seen, selector)
            constant = evaluate(self._resolver, answer) if isinstance(answer, Hit) else None
            if constant is not None and constant.value not in (default, None):
                return f"`{selector}={constant.value}` lets several runs go at once"
        return ""

    def _default(self, seen: _Seen, selector: str) -> Answer:
        """What the object that schedules was made with, for all that it starts."""
        base = receiver(seen.made.call.func) if seen.form.defaults and seen.made is not None else None
        if base is None or seen.made is None:
            return None
        value = self._resolver.resolve(seen.made.home.file, seen.made.home.function, base)
        if value is None or not isinstance(value.made, Call) or value.made_in is None:
            return None
        return Options(self._resolver, [Made(value.made, value.made_in)]).get(f"{seen.form.defaults}.{selector}")

    @staticmethod
    def _doubt(seen: _Seen, options: Options) -> str:
        hidden = any(seen.option(options, selector) == "maybe" for selector in seen.form.apart)
        return "its options arrive by an argument that was not resolved" if hidden else ""

    def _does(self, home: Home, depth: int) -> Iterator[Related]:
        """What the job does to somebody else, in itself and in what it calls."""
        handed = self._handed
        for site in self._resolver.definition(home).sites:
            text = dotted(site.call.func)
            place = Place(home.file, site.call.start, site.call.end)
            if (home.file, site.call.start) in handed:
                yield Related(place, f"`{_last_words(text)}` hands work over")
                continue
            value = self._resolver.resolve(home.file, home.function, site.call.func)
            inner = value.home if value is not None and value.home != home else None
            if inner is not None and self._resolver.definition(inner).kind == "function":
                yield from self._does(inner, depth + 1) if depth < _DEEPEST else ()
            elif set(words_of(_last_words(text).rpartition(".")[2])[:1]) & _DOES and not _NOT.search(text):
                yield Related(place, f"`{_last_words(text)}` would be done twice")

    @cached_property
    def _handed(self) -> set[tuple[str, int]]:
        return {(s.made.home.file, s.made.call.start) for s in self._ground.sightings(EnqueueSeen) if not s.form.signature}

    def _words(self, answer: Answer) -> str:
        if not isinstance(answer, Hit):
            return ""
        return str(answer.expr.value) if isinstance(answer.expr, Literal_) else self._ground.text(answer.home, answer.expr)


def _is_end(symbol: str, text: str) -> bool:
    """One is the end of the other: modules are named from different folders."""
    return symbol.endswith(f".{text}") or ("." in symbol and text.endswith(f".{symbol}"))


def _last_words(text: str) -> str:
    """`objects.create` of `Order.objects.create()`: the end of a long chain."""
    return ".".join(text.replace("()", "").replace("[]", "").split(".")[-2:])
