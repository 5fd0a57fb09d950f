"""What a change does to the jobs of a project, and to the messages that wait for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec

from guardrails.change import Before
from guardrails.facts import Enqueue, Fact, Job, Schedule
from guardrails.facts.change import ChangedJob, LostMessage, Message, Parameter, Sprawl, Tests, Why
from guardrails.files import Tree, is_test
from guardrails.place import Place
from guardrails.project import Project

Pair: TypeAlias = "tuple[Job, Message]"
Told = TypeVar("Told", bound=Fact)
_NAMED = re.compile(r"\b(\w+)\s*=(?!=)|[\"'](\w+)[\"']\s*:")
_RETRY = re.compile(r"retr|backoff|max_attempts|attempts")


class Jobs:
    """The jobs of then and now, side by side."""

    def __init__(self, change: Before, then: Project, tree: Tree, now: Project) -> None:
        self._change, self._tree = change, tree
        self._then, self._now = _messages(then), _messages(now)
        self._symbols = frozenset(job.symbol for job, _ in self._then.values())
        self._sent = _sent(then)
        self._carried = _carried(then)

    def facts(self) -> Iterator[ChangedJob | LostMessage | Sprawl]:
        """Those of one change."""
        changed = list(self._changed())
        yield from changed
        yield from self._lost()
        files: dict[str, str] = {}
        for one in changed:
            files.setdefault(one.place.path, one.job)
        if changed:
            yield _standing(changed[0], Sprawl, jobs=tuple(files.values()))

    def _pairs(self) -> Iterator[tuple[Job, Message, Message]]:
        """The jobs that were and are, with what they are sent: told by the name in the queue, else by where they stand."""
        for name, (job, after) in self._now.items():
            before = self._then.get(name) or self._then.get(self._formerly(job))
            if before is not None:
                yield job, before[1], after

    def _formerly(self, job: Job) -> str:
        """The key by which a job was known before its file was renamed."""
        old = self._change.then(job.place.path)
        return next((key for key, (one, _) in self._then.items() if one.place.path == old and one.name == job.name), "")

    def _changed(self) -> Iterator[ChangedJob]:
        for job, before, after in self._pairs():
            options = "retry policy" if _RETRY.search(before.options + after.options) else "options"
            parts = {
                "body": before.body != after.body,
                options: before.options != after.options,
                "payload": before.parameters != after.parameters,
            }
            if what := tuple(name for name, differs in parts.items() if differs):
                yield _standing(job, ChangedJob, job=job.name, what=what, tests=self._tests(job))

    def _tests(self, job: Job) -> Tests:
        word = re.compile(rb"\b" + re.escape(job.symbol.rpartition(".")[2].encode()) + rb"\b")
        tests = [path for path in self._tree.paths if is_test(path) and word.search(self._tree.load(path))]
        if not tests:
            return "none"
        return "left alone" if self._change.edited.isdisjoint(tests) else "changed"

    def _lost(self) -> Iterator[LostMessage]:
        names = frozenset(message.name for _, message in self._now.values())
        for key, (job, before) in self._then.items():
            sent = not self._sent.isdisjoint((job.symbol, job.name, before.name))
            now = self._now.get(key) or self._at_the_same_place(job)
            if now is None:
                if before.name and not _is_among(before.name, names) and not (before.by_path and self._is_still_there(job)):
                    yield self._gone(job, sent)
            elif before.name and now[1].name and not _is_among(before.name, names):
                yield _standing(now[0], LostMessage, job=now[0].name, why="renamed", was=before.name, what=now[1].name, is_sent=sent)
            else:
                for why, what in self._differences(job, before, now[1]):
                    yield _standing(now[0], LostMessage, job=now[0].name, why=why, what=what, is_sent=sent)

    def _at_the_same_place(self, job: Job) -> Pair | None:
        """The job of now that has this one's function name: in its file (as it is called now), else the only one anywhere."""
        path = self._change.now(job.place.path)
        same = [pair for pair in self._now.values() if pair[0].symbol.rpartition(".")[2] == job.symbol.rpartition(".")[2]]
        here = [pair for pair in same if pair[0].place.path == path]
        found = here or [pair for pair in same if self._is_new(pair)]
        return found[0] if len(found) == 1 else None

    def _is_still_there(self, job: Job) -> bool:
        """The function stands where it stood, though nothing here sends it any more."""
        name = job.symbol.rpartition(".")[2].encode()
        return re.search(rb"\bdef\s+" + re.escape(name) + rb"\b", self._tree.load(job.place.path)) is not None

    def _is_new(self, pair: Pair) -> bool:
        return pair[0].symbol not in self._symbols

    def _gone(self, job: Job, sent: bool) -> LostMessage:
        path = self._change.now(job.place.path)
        fact = _standing(job, LostMessage, job=job.name, why="gone", is_sent=sent)
        return fact if path in self._change.gone else msgspec.structs.replace(fact, place=Place(path, 0, 0))

    def _differences(self, job: Job, before: Message, after: Message) -> Iterator[tuple[Why, str]]:
        old = {one.name: one for one in before.parameters}
        new = {one.name: one for one in after.parameters}
        added = [one for one in after.parameters if one.name not in old and one.required]
        dropped = [one for one in before.parameters if one.name not in new]
        if dropped and _is_renaming(before, after):
            yield from (("renames", one.name) for one in dropped if self._is_carried(job, one))
            return
        yield from (("needs", one.name) for one in added if not before.is_open)
        yield from (("drops", one.name) for one in dropped if not after.is_open and (one.required or self._is_carried(job, one)))
        for name in old.keys() & new.keys():
            if _is_lifted(before, after):
                continue
            had = {field for field, required in old[name].fields if required}
            there = bool(old[name].fields)
            yield from (("field", f"{name}.{field}") for field, must in new[name].fields if there and must and field not in had)

    def _is_carried(self, job: Job, parameter: Parameter) -> bool:
        return parameter.name in self._carried.get(job.symbol, ())


def _is_among(name: str, names: frozenset[str]) -> bool:
    """A job is known by this name, perhaps as seen from another folder that modules are imported from."""
    return name in names or any(one.endswith(f".{name}") or name.endswith(f".{one}") for one in names if "." in one and "." in name)


def _is_lifted(before: Message, after: Message) -> bool:
    """The job makes messages of its present version of those that wait."""
    return 0 < before.version < after.version and (after.lifted is None or set(range(before.version, after.version)) <= after.lifted)


def _is_renaming(before: Message, after: Message) -> bool:
    """Parameters keep their number and order; some have another name."""
    if len(before.parameters) != len(after.parameters):
        return False
    pairs = list(zip(before.parameters, after.parameters, strict=True))
    names = {one.name for one in before.parameters}
    return all(old.name == new.name or (new.name not in names and old.required == new.required) for old, new in pairs)


def _messages(project: Project) -> Mapping[str, Pair]:
    """Jobs with their messages, by the name in the queue, else by their symbol."""
    found = {}
    for job in project.jobs:
        if (message := project.message(job)) is not None:
            found[message.name or job.symbol] = (job, message)
    return found


def _sent(project: Project) -> frozenset[str]:
    """The symbols and names of the jobs that the project itself hands over or schedules."""
    handed = (name for fact in project.facts if isinstance(fact, Enqueue) for name in (fact.job, fact.target))
    timed = (fact.job for fact in project.facts if isinstance(fact, Schedule))
    return frozenset(name for name in (*handed, *timed) if name)


def _carried(project: Project) -> Mapping[str, set[str]]:
    """By job, the names by which its enqueues pass arguments."""
    found: dict[str, set[str]] = {}
    for fact in project.facts:
        if isinstance(fact, Enqueue) and fact.job:
            call = project.sources[fact.place.path][fact.place.start : fact.place.end].decode("utf-8", "replace")
            found.setdefault(fact.job, set()).update(name for pair in _NAMED.findall(call) for name in pair if name)
    return found


def _standing(fact: Job | ChangedJob, kind: type[Told], **more: Any) -> Told:
    return kind(place=fact.place, scope=fact.scope, framework=fact.framework, language=fact.language, title=fact.title, **more)
