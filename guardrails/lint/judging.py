"""From facts to a result: checks, allow comments, fingerprints, what is new, order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from guardrails import allow, facts, fingerprint, rulebook
from guardrails.cache import Outlines
from guardrails.change.past import Past
from guardrails.files import Tree, is_test
from guardrails.finding import CONFIDENCES, SEVERITIES, Finding, Severity, Unsure
from guardrails.inventory import Inventory
from guardrails.lines import Lines
from guardrails.lint.request import InternalError, Known, Request, Understood
from guardrails.outline import Outline
from guardrails.place import Place
from guardrails.policy import Policy
from guardrails.registry import Check, check_of
from guardrails.result import UNREADABLE, Allowed, Found, Remark, Result, Spot, Summary
from guardrails.rulebook import Rule

FIX_UNREADABLE = "mend it, or name the file under `exclude`"
Allows: TypeAlias = Mapping[str, allow.Index]  # the comments of each file


def judge(
    tree: Tree, project: Understood, known: Known, request: Request, outlines: Outlines, *,
    rules: Mapping[str, Rule] | None = None, find: Callable[[str], Check | None] = check_of, past: Past | None = None,
    more: Sequence[facts.Fact] = (),
) -> Result:  # fmt: skip
    """What the checks say about a project, as it is told. `find` gives the check of a rule; `past` knows what is not new; `more` are
    facts that are not from code."""
    book = rulebook.load() if rules is None else rules
    return _Judge(tree, project, known, request, outlines, book, find, past or Past(), more).result()


class _Judge:
    """One run's judging: the checks' findings on their way to a result."""

    def __init__(
        self, tree: Tree, project: Understood, known: Known, request: Request, outlines: Outlines, rules: Mapping[str, Rule],
        find: Callable[[str], Check | None], past: Past, more: Sequence[facts.Fact] = (),
    ) -> None:  # fmt: skip
        self.past, self.more = past, more
        self.tree, self.project, self.known, self.request, self.outlines = tree, project, known, request, outlines
        self.rules, self.find = rules, find
        self.parsed, self.sources = project.outlines, project.sources
        self.policy = Policy(request.config, self.rules)
        skip = request.config.tests == "skip"
        prose = tree.instructions if request.more is not None and request.checks else ()
        self.tests = {path for path in (*tree.scope, *prose) if is_test(path)} if skip else set()
        self.judged = (tree.scope | set(prose)) - self.tests | {fact.place.path for fact in past.facts}
        self.change_rules = frozenset(name for name, rule in rules.items() if rule.guardrail == "change")
        self._lines: dict[str, Lines] = {}
        self._comments: dict[str, list[tuple[int, int]]] = {}

    def result(self) -> Result:
        said = list(self._checked())
        findings = _sorted([one for one in said if isinstance(one, Finding)] + list(self._unreadable()))
        found = self._found_all(findings)
        unsure = [one for one in said if isinstance(one, Unsure)]
        covering = self._allows()
        allowed, used = self._allowed(findings, covering)
        used |= {(one.place, doubt.rule) for doubt in unsure if (one := self._covering(covering, doubt.rule, doubt.place))}
        own = _sorted(self._own_findings(covering, used))
        told = [one for index, one in enumerate(found) if index not in allowed]
        told += self._found_all(own)
        compared = self.past.split(told, self.tree, self.policy.anywhere())
        told = list(compared.new)
        kept = tuple(sorted((one for one in told if self._is_shown(one)), key=_order))
        ended = [one for one in self.project.ended if one.place.path in self.judged]
        unknown = self._unknown([*unsure, *ended], findings, covering)
        unreadable = tuple(self._remark(finding.place, finding.message, UNREADABLE) for finding in self._unreadable())
        hidden = tuple(Allowed(found[index], reason) for index, reason in allowed.items())
        known = tuple(sorted((one for one in compared.known if self._is_shown(one)), key=_order))
        sources = self._sources([*kept, *known, *(one.found for one in hidden)], [*unknown, *unreadable])
        summary, inventory = self._summary(len(set(ended))), self._inventory()
        return Result(kept, unknown, unreadable, hidden, summary, sources, known, self.past.name, compared.stale, inventory)

    def _checked(self) -> Iterator[Finding | Unsure]:
        """What the checks say about the judged files."""
        by_type: dict[type, list[facts.Fact]] = {}
        for fact in (*self.project.facts, *self.more, *self.past.facts):
            by_type.setdefault(type(fact), []).append(fact)
        for rule in sorted(self.policy.anywhere()):
            if check := self.find(rule):
                with self.request.clock.stage(f"check {rule}"):
                    said = [one for one in self._run(check, by_type) if self._applies(one)]
                yield from said

    def _run(self, check: Check, by_type: Mapping[type, list[facts.Fact]]) -> Iterator[Finding | Unsure]:
        more = (self.project,) if check.wants_project else ()
        for kind, group in by_type.items():
            if not issubclass(kind, check.subscribed):
                continue
            for fact in group:
                try:
                    yield from check.run(fact, *more)
                except Exception as error:
                    raise InternalError(check.rule, fact.place.path, error) from error

    def _inventory(self) -> Inventory | None:
        """What was recognised, where somebody asks for it."""
        if not self.request.survey:
            return None
        from guardrails.project import Project
        from guardrails.survey import survey

        return survey(self.project, self.judged, self._spot) if isinstance(self.project, Project) else None

    def _applies(self, one: Finding | Unsure) -> bool:
        return one.place.path in self.judged and one.rule in self.policy.enabled(one.place.path)

    def _unreadable(self) -> Iterator[Finding]:
        """A finding a file that could not be read, whole or in part."""
        for path in sorted(self.judged):
            if UNREADABLE not in self.policy.enabled(path):
                continue
            if why := self.tree.unreadable.get(path):
                message = f"{path} could not be opened ({why}), so nothing in it was judged"
                yield Finding(UNREADABLE, Place(path, 0, 0), message, FIX_UNREADABLE, severity="error" if self.request.strict else None)
            elif path in self.tree.named and (why := self.tree.over.get(path)):
                yield Finding(UNREADABLE, Place(path, 0, 0), f"{path} was passed over ({why}), so nothing in it was judged", FIX_UNREADABLE)
            elif (outline := self.parsed.get(path)) and outline.broken:
                yield self._broken(path, outline)

    def _broken(self, path: str, outline: Outline) -> Finding:
        source, first = self._source(path), outline.broken[0]
        regions = [source[_line_above(source, one.start) : one.end] for one in outline.broken]
        worker = sorted(word for word in self.known.words if any(word.encode() in region for region in regions))
        more = f" (and {len(regions) - 1} more places)" if len(regions) > 1 else ""
        words = f"; it holds {worker[0]!r}, so worker code may be unjudged" if worker else ""
        severity: Severity | None = "error" if worker or self.request.strict else None
        message = f"this could not be read: {first.why}{more}{words}"
        return Finding(UNREADABLE, Place(path, first.start, first.end), message, FIX_UNREADABLE, severity=severity)

    def _allows(self) -> Allows:
        """The allow comments of each judged file; also of those that held no word of worker code."""
        found = {}
        for path in sorted(self.judged):
            source = self._source(path)
            if b"guardrails:" not in source:
                continue
            if path in self.tree.instructions:
                found[path] = allow.Index(allow.read_prose(path, self._of(path)), self.request.today)
            else:
                outline = self.parsed.get(path) or self.outlines.outline(path, source)
                found[path] = allow.Index(allow.read(path, outline, self._of(path)), self.request.today)
        return found

    def _covering(self, allows: Allows, rule: str, at: Place) -> allow.Allow | None:
        return allows[at.path].first(rule, at.start) if at.path in allows else None

    def _allowed(self, findings: Sequence[Finding], allows: Allows) -> tuple[dict[int, str], set[tuple[Place, str]]]:
        """Index of each finding that is allowed with the reason, and the (comment, rule) pairs that were of use."""
        reasons: dict[int, str] = {}
        used: set[tuple[Place, str]] = set()
        for index, finding in enumerate(findings):
            if one := self._covering(allows, finding.rule, finding.place):
                reasons[index] = one.reason
                used |= {(other.place, finding.rule) for other in allows[finding.place.path].use(finding.rule, finding.place.start)}
        return reasons, used

    def _own_findings(self, allows: Allows, used: set[tuple[Place, str]]) -> Iterator[Finding]:
        """What is wrong with the allow comments. In a partial tree none counts as unused: what it allows may hang on what was not read."""
        for path, comments in allows.items():
            enabled = self.policy.enabled(path) - (frozenset() if self.past.change else self.change_rules)
            for finding in allow.judge(comments.allows, used, self.rules, enabled.__contains__, self.request.today):
                if finding.rule in enabled and not (self.tree.partial and finding.rule == allow.UNUSED):
                    yield finding

    def _found_all(self, findings: Sequence[Finding]) -> list[Found]:
        keys = [(one.rule, one.place.path, one.scope, one.subject or self._tokens(one.place)) for one in findings]
        marks = [fingerprint.make(*key, number) for key, number in zip(keys, fingerprint.occurrences(keys), strict=True)]
        return [self._found(finding, key[-1], mark) for finding, key, mark in zip(findings, keys, marks, strict=True)]

    def _tokens(self, place: Place) -> str:
        if place.path not in self._comments:
            outline = self.parsed.get(place.path)
            self._comments[place.path] = sorted((one.start, one.end) for one in outline.comments) if outline else []
        comments = self._comments[place.path]
        inside = comments[bisect_left(comments, (place.start,)) : bisect_left(comments, (place.end,))]
        return fingerprint.tokens(self._source(place.path), place.start, place.end, inside)

    def _found(self, finding: Finding, key: str, mark: str) -> Found:
        related = tuple(self._remark(one.place, one.message) for one in finding.related)
        severity, confidence = self.policy.severity(finding), self.policy.confidence(finding)
        return Found(
            finding.rule, self._spot(finding.place), finding.message, finding.fix, severity, confidence, mark,
            finding.scope, finding.subject, finding.cause, related, key, repair=finding.repair, framework=finding.framework,
        )  # fmt: skip

    def _is_shown(self, found: Found) -> bool:
        if SEVERITIES.index(found.severity) > SEVERITIES.index(self.request.at_least):
            return False
        return CONFIDENCES.index(found.confidence) <= CONFIDENCES.index(self.request.config.confidence)

    def _unknown(self, unsure: Sequence[Unsure], findings: Sequence[Finding], allows: Allows) -> tuple[Remark, ...]:
        told = {(one.rule, one.place) for one in findings}
        open_ = {one for one in unsure if (one.rule, one.place) not in told and not self._covering(allows, one.rule, one.place)}
        remarks = (self._remark(one.place, one.message, one.rule) for one in open_)
        return tuple(sorted(remarks, key=_order))

    def _source(self, path: str) -> bytes:
        source = self.sources.get(path)
        return self.past.source(path) or self.tree.load(path) if source is None else source

    def _of(self, path: str) -> Lines:
        if path not in self._lines:
            self._lines[path] = Lines(self._source(path))
        return self._lines[path]

    def _spot(self, place: Place) -> Spot:
        return self._of(place.path).spot(place.path, place.start, place.end)

    def _remark(self, place: Place, message: str, rule: str = "") -> Remark:
        return Remark(self._spot(place), message, rule)

    def _sources(self, told: Sequence[Found], remarks: Iterable[Remark]) -> dict[str, bytes]:
        related = [remark for one in told for remark in one.related]
        paths = {one.spot.path for one in told} | {remark.spot.path for remark in (*related, *remarks)}
        return {path: self._source(path) for path in sorted(paths)}

    def _summary(self, ended: int) -> Summary:
        counted = [fact for fact in self.project.facts if fact.place.path in self.judged]
        over: dict[str, int] = {"excluded": self.tree.passed_over["excluded"]} if "excluded" in self.tree.passed_over else {}
        for path in self.tree.scope:
            if why := self.tree.over.get(path):
                over[why] = over.get(why, 0) + 1
        read = self.judged - self.tree.over.keys() - self.tree.unreadable.keys()
        if tests := len(self.tests - self.tree.over.keys()):
            over["test"] = tests
        shapes = (facts.Job, facts.Enqueue, facts.Handler, facts.Schedule, facts.Spawn)
        jobs, enqueues, handlers, schedules, spawns = (sum(isinstance(fact, shape) for fact in counted) for shape in shapes)
        named = tuple(sorted({fact.framework for fact in counted if isinstance(fact, shapes)}))
        parsed = len(read & self.parsed.keys())
        passed_over = dict(sorted(over.items()))
        limits = _limits(counted)
        return Summary(
            len(read), parsed, jobs, enqueues, handlers, schedules, spawns, named, passed_over, self.known.frameworks, limits, ended
        )  # fmt: skip


def _limits(counted: Iterable[facts.Fact]) -> dict[str, int]:
    """How many jobs surely have a time limit, surely have none, and of how many it cannot be told."""
    found = {"limited": 0, "endless": 0, "unknown": 0}
    for job in counted:
        if isinstance(job, facts.Job):
            value = facts.in_effect(job.timeout)
            set_ = isinstance(job.timeout, facts.Unknown) and job.timeout.present == "yes"
            found["endless" if value == facts.NEVER else "limited" if value is not None or set_ else "unknown"] += 1
    return found


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    """In order of place; what two facts say alike is said once."""
    unique = {(one.place, one.rule, one.message): one for one in findings}
    return [unique[key] for key in sorted(unique)]


def _order(one: Found | Remark) -> tuple[Spot, str, str]:
    return one.spot, one.rule, one.message


def _line_above(source: bytes, start: int) -> int:
    """Where the line above a place begins: a decorator stands there."""
    line = source.rfind(b"\n", 0, start)
    return source.rfind(b"\n", 0, max(line, 0)) + 1
