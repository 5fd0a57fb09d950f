"""For a survey: the queue and the retry policy of each job, and all callers of what starts work."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Absent, Setting
from guardrails.facts.policy import HandOver, Policy
from guardrails.facts.retrying import Retry
from guardrails.frameworks.forms.payload import Queues
from guardrails.frameworks.sightings import EnqueueSeen, JobSeen, SpawnSeen
from guardrails.names.options import Hit, Options
from guardrails.names.values import Home
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.retrying import Retrying
from guardrails.project.settings.values import read


class Surveying:
    """Makes a fact of each job's policy."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._retrying = ground, Retrying(ground)

    def ends(self) -> Iterator[Home]:
        """Wherever work is handed over or spawned: a survey shows who does so."""
        for seen in self._ground.seen:
            if isinstance(seen, EnqueueSeen | SpawnSeen):
                yield seen.made.home

    def facts(self) -> Iterator[Policy | HandOver]:
        """A fact a job, and one a hand-over that says something."""
        for job in self._ground.jobs.values():
            yield self._policy(job)
        for seen in self._ground.sightings(EnqueueSeen):
            said = self._hand_over(seen)
            if said.passes or said.queue is not None or said.attempts is not None:
                yield said

    def _policy(self, job: JobSeen) -> Policy:
        retry = _telling(self._retrying.of_job(job))
        spec = job.model.queue
        return Policy(
            **self._ground.standing(job.model, job.home, self._place(job)),
            symbol=job.symbol,
            queue=self._job_queue(job, spec) if spec is not None else None,
            routed=spec is not None and any(self._ground.code.words.holding(word) for word in spec.routed),
            attempts=retry.attempts if retry is not None else None,
            delay=retry.delay if retry is not None else None,
            grows=retry.grows if retry is not None else None,
            modelled=bool(job.model.retries or job.model.repeats),
        )

    def _job_queue(self, job: JobSeen, spec: Queues) -> Setting:
        """Its declaration may name it by position, too, which an enqueue cannot."""
        handed_over = any(form.call == job.form.call for form in job.model.enqueues if form.call)
        declared = read(self._ground.resolver, job.options.first(spec.declared), spec) if spec.declared and not handed_over else None
        return declared or self._ground.settings.effective(job, spec)

    def _hand_over(self, seen: EnqueueSeen) -> HandOver:
        retry = next(self._retrying.of_enqueue(seen), None)
        return HandOver(
            **self._ground.at(seen.model, seen.made.home, seen.made.call),
            job=seen.job,
            passes=seen.form.signature and not seen.form.call and not seen.form.on_job,
            queue=self._queue(seen),
            attempts=retry.attempts if retry is not None else None,
        )

    def _queue(self, seen: EnqueueSeen) -> Setting | None:
        spec = seen.model.queue
        if spec is None:
            return None
        own = read(self._ground.resolver, seen.options.first(spec.enqueue), spec) if spec.enqueue else None
        at_queue = Options(self._ground.resolver, [seen.queue]).first(spec.app) if own is None and seen.queue is not None else None
        return own or (read(self._ground.resolver, at_queue, spec) if isinstance(at_queue, Hit) else None)

    def _place(self, job: JobSeen) -> Place:
        home = job.owner or job.home
        definition = self._ground.resolver.definition(home)
        return Place(home.file, definition.name_start, definition.name_end)


def _telling(retries: Iterator[Retry]) -> Retry | None:
    """The policy that says how often; of several, the first that says a number."""
    found = list(retries)
    return next((one for one in found if not isinstance(one.attempts, Absent)), found[0] if found else None)
