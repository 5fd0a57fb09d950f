"""Files in, judged findings out: discover, understand, check, weigh by rule page and configuration, allow comments, fingerprints, order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol, TypeAlias

import msgspec

from guardrails import allow, facts, fingerprint, rulebook
from guardrails.cache import Cache, NoCache, Outlines
from guardrails.config import MODELS, Config, load, models
from guardrails.files import Tree, discover, find_root, is_test, memory, show
from guardrails.finding import CONFIDENCES, SEVERITIES, Finding, Severity, Unsure
from guardrails.lines import Lines
from guardrails.outline import Outline
from guardrails.place import Place
from guardrails.policy import Policy
from guardrails.read import LANGUAGES
from guardrails.registry import Check, check_of
from guardrails.result import UNREADABLE, Allowed, Found, Remark, Result, Spot, Summary
from guardrails.rulebook import Rule
from guardrails.stopwatch import Stopwatch

FIX_UNREADABLE = "mend it, or name the file under `exclude`"
Allows: TypeAlias = Mapping[str, allow.Index]  # the comments of each file


class RequestError(Exception):
    """The user named something that is not there; the message is one sentence."""


class InternalError(Exception):
    """A check failed: a fault of ours. `rule` and `path` say where; the cause is chained."""

    def __init__(self, rule: str, path: str, cause: BaseException) -> None:
        super().__init__(f"the check of {rule} failed on {path}: {type(cause).__name__}: {cause}")
        self.rule, self.path = rule, path


class Request(msgspec.Struct, frozen=True):
    """What to lint, and how. `paths` exist and lie in `root` (none: all of it). `at_least` is the lowest severity that is shown.

    `contents` stands in for what is on disk (paths relative to the root). `watch` is told in a word or
    two what is being done; `clock` counts the time.
    """

    root: Path
    config: Config
    today: date
    paths: tuple[Path, ...] = ()
    at_least: Severity = "info"
    strict: bool = False
    cached: bool = True
    contents: Mapping[str, bytes] = {}
    watch: Callable[[str], None] | None = None
    clock: Stopwatch = msgspec.field(default_factory=Stopwatch)


class _Contents(dict[str, bytes]):
    """Contents by path, which are found under the path as it is shown, too."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        super().__init__(contents)
        self.shown = {show(path): data for path, data in contents.items()}

    def __contains__(self, path: object) -> bool:
        return super().__contains__(path) or path in self.shown

    def __missing__(self, path: str) -> bytes:
        return self.shown[path]


class Understood(Protocol):
    """What lint needs of a project: its facts, and the outlines and bytes of the files that were read."""

    @property
    def facts(self) -> Sequence[facts.Fact]:
        """In a stable order."""

    @property
    def ended(self) -> Sequence[Unsure]:
        """Where a search stopped at a limit, of no rule."""

    @property
    def outlines(self) -> Mapping[str, Outline]:
        """By path, of the files that held words that matter."""

    @property
    def sources(self) -> Mapping[str, bytes]:
        """By path, of at least these files."""


class Known(msgspec.Struct, frozen=True):
    """What the models say to the judging: words of worker code, and the frameworks whose jobs were looked for."""

    words: frozenset[str] = frozenset()
    frameworks: tuple[str, ...] = ()


def prepare(paths: Sequence[Path], text: bytes | None = None) -> Request:
    """A request for these paths (none: the current folder) with the configuration of their project.

    `text` stands in for the one path, which then need not exist. Raises `RequestError` for a path that is missing, `ConfigError`
    for a mistake in the configuration.
    """
    named = tuple(paths) or (Path(),)
    for path in named:
        if text is None and (why := _missing(path)):
            raise RequestError(f"{show(str(path))}: {why}")
    root = find_root(named)
    contents = {} if text is None else {named[0].resolve().relative_to(root).as_posix(): text}
    return Request(
        root,
        load(root, {name: rule.options for name, rule in rulebook.load().items()}),
        date.today(),
        tuple(path.resolve() for path in named),
        contents=contents,
    )


def _missing(path: Path) -> str:
    try:
        return "" if path.exists() else "there is no such file or folder; check the spelling"
    except OSError as error:
        why = (error.strerror or "error").lower()
        return f"it cannot be looked at ({why}); mend the permissions of its folder" if isinstance(error, PermissionError) else why


def lint(request: Request) -> Result:
    """One run. Raises `ConfigError` or `ModelError` for a mistake of the user's, `InternalError` for one of ours."""
    watch = request.watch or (lambda _: None)
    watch("finding files")
    with request.clock.stage("find files"):
        tree = discover(request.root, request.paths, LANGUAGES, request.config.exclude, _Contents(request.contents))
    watch(f"reading {len(tree.paths)} files")
    outlines: Outlines = Cache() if request.cached else NoCache()
    project, known = _understand(tree, request, models(tree.root, request.config), outlines)
    watch("checking")
    with request.clock.stage("judge"):
        if isinstance(outlines, Cache):
            outlines.prune()
        return judge(tree, project, known, request, outlines)


def lint_texts(files: Mapping[str, str | bytes], config: Config | None = None, today: date = date.min, strict: bool = False) -> Result:
    """One run over a project that exists in memory only."""
    tree = memory(files, LANGUAGES)
    request = Request(tree.root, config or Config(tests="report"), today, strict=strict, cached=False)
    extra = [(path, text if isinstance(text, str) else text.decode()) for path, text in sorted(files.items()) if path.startswith(MODELS)]
    project, known = _understand(tree, request, extra, NoCache())
    return judge(tree, project, known, request, NoCache())


def _understand(tree: Tree, request: Request, extra: Sequence[tuple[str, str]], outlines: Outlines) -> tuple[Understood, Known]:
    from guardrails.frameworks import catalogue
    from guardrails.frameworks.own import models_of
    from guardrails.project import understand

    with request.clock.stage("load models"):
        found = catalogue.load(extra, outlines.remember if request.cached else None, models_of(request.config))
    known = Known(found.signs(), tuple(sorted({model.framework for model in found.models if model.jobs})))
    return understand(tree, found, request.config, request.clock.timed("read", outlines.outline), request.clock), known


def judge(
    tree: Tree, project: Understood, known: Known, request: Request, outlines: Outlines, *,
    rules: Mapping[str, Rule] | None = None, find: Callable[[str], Check | None] = check_of,
) -> Result:  # fmt: skip
    """What the checks say about a project, as it is told. `find` gives the check of a rule."""
    return _Judge(tree, project, known, request, outlines, rulebook.load() if rules is None else rules, find).result()


class _Judge:
    """One run's judging: the checks' findings on their way to a result."""

    def __init__(
        self, tree: Tree, project: Understood, known: Known, request: Request, outlines: Outlines, rules: Mapping[str, Rule],
        find: Callable[[str], Check | None],
    ) -> None:  # fmt: skip
        self.tree, self.project, self.known, self.request, self.outlines = tree, project, known, request, outlines
        self.rules, self.find = rules, find
        self.parsed, self.sources = project.outlines, project.sources
        self.policy = Policy(request.config, self.rules)
        skip = request.config.tests == "skip"
        self.tests = {path for path in tree.scope if is_test(path)} if skip else set()
        self.judged = tree.scope - self.tests
        self._lines: dict[str, Lines] = {}
        self._comments: dict[str, list[tuple[int, int]]] = {}

    def result(self) -> Result:
        said = list(self._checked())
        findings = _sorted([one for one in said if isinstance(one, Finding)] + list(self._unreadable()))
        found = [self._found(finding, mark) for finding, mark in zip(findings, self._fingerprints(findings), strict=True)]
        unsure = [one for one in said if isinstance(one, Unsure)]
        covering = self._allows()
        allowed, used = self._allowed(findings, covering)
        used |= {(one.place, doubt.rule) for doubt in unsure if (one := self._covering(covering, doubt.rule, doubt.place))}
        own = _sorted(self._own_findings(covering, used))
        told = [one for index, one in enumerate(found) if index not in allowed]
        told += [self._found(finding, mark) for finding, mark in zip(own, self._fingerprints(own), strict=True)]
        kept = tuple(sorted((one for one in told if self._is_shown(one)), key=_order))
        ended = [one for one in self.project.ended if one.place.path in self.judged]
        unknown = self._unknown([*unsure, *ended], findings, covering)
        unreadable = tuple(self._remark(finding.place, finding.message, UNREADABLE) for finding in self._unreadable())
        hidden = tuple(Allowed(found[index], reason) for index, reason in allowed.items())
        sources = self._sources([*kept, *(one.found for one in hidden)], [*unknown, *unreadable])
        return Result(kept, unknown, unreadable, hidden, self._summary(len(set(ended))), sources)

    def _checked(self) -> Iterator[Finding | Unsure]:
        """What the checks say about the judged files."""
        by_type: dict[type, list[facts.Fact]] = {}
        for fact in self.project.facts:
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
            if b"guardrails:" in source:
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
            enabled = self.policy.enabled(path)
            for finding in allow.judge(comments.allows, used, self.rules, enabled.__contains__, self.request.today):
                if finding.rule in enabled and not (self.tree.partial and finding.rule == allow.UNUSED):
                    yield finding

    def _fingerprints(self, findings: Sequence[Finding]) -> list[str]:
        keys = [(one.rule, one.place.path, one.scope, one.subject or self._tokens(one.place)) for one in findings]
        return [fingerprint.make(*key, number) for key, number in zip(keys, fingerprint.occurrences(keys), strict=True)]

    def _tokens(self, place: Place) -> str:
        if place.path not in self._comments:
            outline = self.parsed.get(place.path)
            self._comments[place.path] = sorted((one.start, one.end) for one in outline.comments) if outline else []
        comments = self._comments[place.path]
        inside = comments[bisect_left(comments, (place.start,)) : bisect_left(comments, (place.end,))]
        return fingerprint.tokens(self._source(place.path), place.start, place.end, inside)

    def _found(self, finding: Finding, mark: str) -> Found:
        related = tuple(self._remark(one.place, one.message) for one in finding.related)
        severity, confidence = self.policy.severity(finding), self.policy.confidence(finding)
        return Found(
            finding.rule, self._spot(finding.place), finding.message, finding.fix, severity, confidence, mark,
            finding.scope, finding.subject, finding.cause, related,
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
        return self.tree.load(path) if source is None else source

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
        return Summary(len(read), parsed, jobs, enqueues, handlers, schedules, spawns, named, passed_over, self.known.frameworks, ended)


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
