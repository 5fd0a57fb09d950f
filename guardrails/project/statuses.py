"""Who writes the state of work: jobs that say that they run and never that they failed, and hand-overs that write what the job writes."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts.failure import RunningStatus, TwoWriters
from guardrails.finding import Related
from guardrails.frameworks.sightings import EnqueueSeen, JobSeen
from guardrails.names.values import Home
from guardrails.outline import Call, dotted
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.status_writes import Write, writes

_DEEPEST, _MOST = 3, 80
Written = tuple[Home, Write]


class Statuses:
    """Makes facts of the writes of states."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._handled, self._work = ground.handled, ground.work
        self._below_memory: dict[Home, list[Written]] = {}

    def facts(self) -> Iterator[RunningStatus | TwoWriters]:
        """A fact a job that writes that it runs, and one a hand-over that writes what its job writes."""
        done: set[Home] = set()
        for symbol, seen in self._ground.jobs.items():
            if not symbol.startswith("?") and seen.home not in done:
                done.add(seen.home)
                yield from self._running(seen)
        bodies = {seen.home for seen in self._ground.jobs.values()}
        for enqueue in self._ground.sightings(EnqueueSeen):
            job = self._ground.jobs.get(enqueue.job)
            if job is not None and not enqueue.job.startswith("?") and enqueue.made.home not in bodies:
                yield from self._twice(enqueue, job)

    def _running(self, seen: JobSeen) -> Iterator[RunningStatus]:
        for stretches in self._work.stretches(seen.home):
            here = stretches[-1].home
            own = list(writes(self._ground.resolver.definition(here)))
            running = next((one for one in own if one.state == "running" and not one.late and not one.told), None)
            if running is None:
                continue
            known = [one for stretch in stretches for one in self._below(stretch.home)]
            same = [one for one in known if one[1].field == running.field or one[1].state == "failed"]
            failed = next((one for one in same if one[1].state == "failed" or one[1].late), None)
            finished = next((one for one in same if one[1].state in ("done", "other") and one[1].start != running.start), None)
            at = self._ground.standing(seen.model, here, Place(here.file, running.start, running.end))
            risk = self._risk(here, running)
            if finished is not None and risk:
                yield RunningStatus(
                    **at,
                    worker=seen.name,
                    status=running.field,
                    written=running.text,
                    failed=_place(failed) if failed is not None else self._elsewhere(running, seen),
                    finished=_place(finished),
                    risk=risk,
                    hidden=self._is_held(here, running),
                )
            return

    def _risk(self, home: Home, running: Write) -> str:
        """A call after the write that may raise, in words."""
        function = self._ground.resolver.definition(home)
        later = [site for site in function.sites if site.call.start > running.end and self._work.is_work(home, function, site)]
        names = [dotted(site.call.func) for site in later]
        return next((name for name in names if name.rpartition(".")[2] not in ("save", "commit", "update", "flush")), "")

    def _is_held(self, home: Home, running: Write) -> bool:
        """A `with` of the function takes the thing whose state it is, and was not read: it may write the end."""
        function = self._ground.resolver.definition(home)
        for step in function.steps:
            if step.kind == "enter" and isinstance(step.value, Call) and any(dotted(arg.value) == running.owner for arg in step.value.args):
                value = self._ground.resolver.resolve(home.file, home.function, step.value.func)
                if value is None or value.home is None:
                    return True
        return False

    def _below(self, home: Home) -> list[Written]:
        """The writes of a function, of what it calls, and of its decorators."""
        if home not in self._below_memory:
            found: list[Written] = []
            todo, seen = [(home, 0)], {home}
            while todo and len(seen) < _MOST:
                one, depth = todo.pop(0)
                found.extend((one, write) for write in writes(self._ground.resolver.definition(one)))
                for callee in self._called(one) if depth < _DEEPEST else ():
                    if callee not in seen:
                        seen.add(callee)
                        todo.append((callee, depth + 1))
            self._below_memory[home] = found
        return self._below_memory[home]

    def _called(self, home: Home) -> Iterator[Home]:
        """The functions of the project that a function calls, the methods of classes that it makes, its decorators, what is in it."""
        function = self._ground.resolver.definition(home)
        members = self._ground.resolver.part(home).members
        yield from (Home(home.file, index) for index in members.get(home.function, ()))
        outer = Home(home.file, max(function.parent, 0))
        exprs = [(home, site.call.func) for site in function.sites] + [(outer, decorator) for decorator in function.decorators]
        for where, expr in exprs:
            with self._ground.resolver.shallow():
                value = self._ground.resolver.resolve(where.file, where.function, expr)
            if value is None or value.home is None or value.home.function == 0:
                continue
            if self._ground.resolver.definition(value.home).kind == "class":
                part = self._ground.resolver.part(value.home)
                yield from (Home(value.home.file, index) for index in part.members.get(value.home.function, ()))
            else:
                yield value.home

    def _elsewhere(self, running: Write, seen: JobSeen) -> Place | None:
        """Somebody else in the project ends what was left running: a hook for failures, a sweep over rows that run too long."""
        index = self._ground.code.words
        hooks = [word for model in self._ground.catalogue.models if model.failures for word in model.failures.hooks]
        if any(index.holding(word) for word in hooks):
            return Place(seen.home.file, 0, 0)
        for part in self._ground.parts():
            for number, function in enumerate(part.functions):
                if function.kind == "function" and any(w.state == "failed" and w.field == running.field for w in writes(function)):
                    text = self._ground.resolver.text(part.path, function.start, function.end)
                    if running.text.rpartition(".")[2] in text:
                        return Place(part.path, part.functions[number].name_start, part.functions[number].name_end)
        return None

    def _twice(self, enqueue: EnqueueSeen, job: JobSeen) -> Iterator[TwoWriters]:
        home = enqueue.made.home
        definition = self._ground.resolver.definition(home)
        own = [one for one in writes(definition) if not one.late and one.state != "queued"]
        own = [one for one in own if one.state != "other" or one.start > enqueue.made.call.start]
        if not own:
            return
        theirs = [one for stretches in self._work.stretches(job.home) for one in self._below(stretches[-1].home)]
        for mine in own:
            other = next((one for one in theirs if _same(mine, one[1]) and one[0] != home), None)
            if other is not None:
                at = self._ground.standing(enqueue.model, home, Place(home.file, mine.start, mine.end))
                related = Related(_place(other), f"the job `{job.name}` writes it here")
                hidden = mine.state == "other"
                yield TwoWriters(**at, target=job.name, status=mine.field, written=mine.text, job_writes=related, hidden=hidden)
                return


def _place(written: Written) -> Place:
    home, write = written
    return Place(home.file, write.start, write.end)


def _same(mine: Write, other: Write) -> bool:
    """The same state of the same thing, as far as names tell."""
    alike = mine.state in (other.state, "other") and other.state in ("running", "done", "failed")
    return mine.field == other.field and alike and _whose(mine.owner) == _whose(other.owner)


def _whose(owner: str) -> str:
    return owner.replace("()", "").removeprefix("self.").partition(".")[0].lower()
