"""Jobs in one queue whose limits or retries differ widely."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Absent, Known, Setting, in_effect
from guardrails.facts.sharing import SharedQueue
from guardrails.finding import Related
from guardrails.frameworks.forms.work import Spec
from guardrails.frameworks.sightings import EnqueueSeen, JobSeen
from guardrails.names.options import Hit
from guardrails.place import Place
from guardrails.project.ground import Ground

_WIDELY = 10  # times


class Sharing:
    """Compares the jobs of each queue."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def facts(self) -> Iterator[SharedQueue]:
        """A fact a queue and kind: the job that holds it longest, with the quickest."""
        moved = {seen.job for seen in self._ground.sightings(EnqueueSeen) if self._is_moved(seen)}
        queues: dict[tuple[str, str], list[JobSeen]] = {}
        for symbol, job in sorted(self._ground.jobs.items()):
            name = self._queue(job) if symbol not in moved and not symbol.startswith("?") else ""
            if name:
                queues.setdefault((job.model.framework, name), []).append(job)
        for (_, name), jobs in sorted(queues.items()):
            yield from self._compared(name, jobs)

    def _is_moved(self, seen: EnqueueSeen) -> bool:
        """The enqueue names a queue of its own."""
        spec = seen.model.queue
        return spec is not None and bool(spec.enqueue) and seen.options.first(spec.enqueue) is not None

    def _queue(self, job: JobSeen) -> str:
        spec = job.model.queue
        if spec is None or not spec.judged:
            return ""
        setting = self._ground.settings.effective(job, spec)
        if isinstance(setting, Known):
            return str(setting.value)
        routed = any(self._ground.code.words.holding(word) for word in spec.routed)
        return str(setting.default) if isinstance(setting, Absent) and setting.default and not routed else ""

    def _compared(self, queue: str, jobs: list[JobSeen]) -> Iterator[SharedQueue]:
        limits = {job.symbol: _number(self._ground.settings.limit(job).setting) for job in jobs}
        retries = {job.symbol: self._retries(job) for job in jobs}
        for kind, numbers in (("limit", limits), ("retries", retries)):
            known = [(number, job) for job in jobs if (number := numbers[job.symbol]) is not None and 0 < number < float("inf")]
            if not known:
                continue
            least, quick = min(known, key=lambda pair: pair[0])
            most, slow = max(known, key=lambda pair: pair[0])
            if most >= _WIDELY * least:
                yield SharedQueue(
                    **self._ground.standing(slow.model, slow.home, self._place(slow)), job=slow.name, queue=queue,
                    kind="limit" if kind == "limit" else "retries", more=most, other=quick.name, less=least,
                    related=(Related(self._place(quick), f"`{quick.name}` waits in the same queue"),),
                )  # fmt: skip

    def _retries(self, job: JobSeen) -> float | None:
        """How often a job is tried again, where its own declaration says so."""
        for form in job.model.retries:
            for spec in form.attempts or ((form.when,) if form.when is not None else ()):
                own = job.options.first(spec.arguments) if spec.arguments else None
                if isinstance(own, Hit):
                    return _number(self._ground.settings.effective(job, Spec(arguments=spec.arguments)))
        return None

    def _place(self, job: JobSeen) -> Place:
        definition = self._ground.resolver.definition(job.owner or job.home)
        return Place(job.home.file, definition.name_start, definition.name_end)


def _number(setting: Setting) -> float | None:
    value = in_effect(setting)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
