"""Looks at a change: what the linter says of it, and what a review wants to know beside. It runs in a process that holds no token.

Both sides are read as git objects. Configuration, baseline and framework models are those of the base, so that a change cannot switch
off what judges it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from guardrails import allow, baseline, git, lint, report, rulebook
from guardrails.baseline import FILE, BaselineError
from guardrails.change import Named
from guardrails.config import MODELS, PYPROJECT, YAML, ConfigError, Gate, has_table, load
from guardrails.files import passed_over, show
from guardrails.frameworks.catalogue import ModelError
from guardrails.instruct.reader import reader
from guardrails.lines import Lines
from guardrails.lint import RequestError
from guardrails.paths import stays_inside
from guardrails.read import language_of, read
from guardrails.report.order import rank
from guardrails.report.view import View
from guardrails.result import Allowed, Found, Result
from guardrails.review import hunks
from guardrails.review.hunks import Hunks, Shown
from guardrails.review.suggest import suggestion
from guardrails.review.told import Told

MOST_FINDINGS = 5_000
MOST_SUGGESTIONS = 30
MOST_BYTES = 60_000  # of files with suggestions: about two seconds of libcst
MISTAKES = (BaselineError, ConfigError, git.GitError, ModelError, RequestError)  # their messages are sentences

Wanted = Callable[[str], bool]


class Task(msgspec.Struct, frozen=True):
    """What to look at: a repository of ours with both commits, its work tree empty. `sarif`: the report is wanted, too."""

    folder: str
    base: str
    head: str
    sarif: bool = False
    cached: bool = True


class Looked(msgspec.Struct, frozen=True):
    """What was seen. `fail_on` is the gate of the configuration; `shown` and `former` make the hunks that git knows."""

    told: tuple[Told, ...] = ()
    allowed: tuple[Allowed, ...] = ()
    silenced: tuple[str, ...] = ()
    unknown: int = 0
    unread: tuple[str, ...] = ()
    from_head: bool = False
    fail_on: Gate = "error"
    shown: Mapping[str, Shown] = {}
    former: Mapping[str, str] = {}
    sarif: str = ""

    @property
    def hunks(self) -> Hunks:
        """The change as git shows it."""
        return Hunks(self.shown, self.former)


def look(task: Task) -> Looked:
    """One look. Raises what `lint` and `git` raise."""
    folder, rules = Path(task.folder), rulebook.load()
    from_head = _lay_settings(folder, task.base, task.head)
    config = load(folder, {name: rule.options for name, rule in rules.items()})
    _lay(folder, task.head if from_head else task.base, lambda path: path in config.frameworks)
    request = lint.Request(
        folder,
        config,
        date.today(),
        diff=Named(task.base, task.head),
        baseline=baseline.usual(folder),
        more=reader(config),
        cached=task.cached,
    )
    result = lint.lint(request)
    local = hunks.from_git(folder, task.base, task.head)
    head = git.Contents(folder, git.files(folder, git.commit(folder, task.head)))
    told = result.findings[:MOST_FINDINGS]
    head.foresee(local.real(one.spot.path) for one in told)
    return Looked(
        tuple(_told(told, head, local)),
        tuple(_new_allowed(folder, task, result.allowed, local)),
        tuple(sorted({one.found.fingerprint for one in result.allowed})),
        sum(local.hold(one.spot.path, one.spot.line, one.spot.line) for one in result.unknown),
        tuple(sorted({one.spot.path for one in result.unreadable} | set(_passed_over(head, local)))),
        from_head,
        config.fail_on,
        {local.real(path): local.shown(path) for path in local},
        {local.real(path): local.former(path) for path in local if local.former(path) != path},
        _sarif(result) if task.sarif else "",
    )


def _told(found: Sequence[Found], head: Mapping[str, bytes], local: Hunks) -> Iterator[Told]:
    """Findings, with suggestions for as many as may get a comment: each of them costs a slow parse of its file."""
    chosen, room, paths = set[str](), MOST_BYTES, set[str]()
    sure = [one for one in found if one.confidence == "high" and one.repair is not None and local.real(one.spot.path) in head]
    for one in sorted(sure, key=rank)[:MOST_SUGGESTIONS]:
        cost = 0 if one.spot.path in paths else len(head[local.real(one.spot.path)])
        if cost <= room:
            room -= cost
            paths.add(one.spot.path)
            chosen.add(one.fingerprint)
    for one in found:
        mended = suggestion(one, lambda path: head.get(local.real(path)), local) if one.fingerprint in chosen else None
        yield Told(one, mended)


def _lay_settings(folder: Path, base: str, head: str) -> bool:
    """Lays out the settings of the base, else those of the head; whether it was the head's."""
    common = git.commit(folder, base)
    if _lay(folder, common, _is_setting) and _is_configured(folder):
        return False
    for path in sorted(folder.rglob("*")):
        if path.is_file() and ".git" not in path.relative_to(folder).parts:
            path.unlink()
    _lay(folder, head, _is_setting)
    return _is_configured(folder)


def _is_setting(path: str) -> bool:
    return path in (PYPROJECT, YAML, FILE) or (path.rpartition("/")[0] == MODELS and path.endswith((".yml", ".yaml")))


def _is_configured(folder: Path) -> bool:
    """Whether anything of ours stands there; a broken file is told by whoever reads it."""
    pyproject = folder / PYPROJECT
    if pyproject.is_file() and has_table(pyproject.read_bytes().decode("utf-8-sig", "surrogateescape")):
        return True
    return any((folder / name).exists() for name in (YAML, FILE, MODELS))


def _lay(folder: Path, commit: str, wanted: Wanted) -> int:
    """Writes files of a commit into the empty work tree; how many. Links are not among them, nor what git would take for its own."""
    blobs = {path: blob for path, blob in git.files(folder, commit).items() if wanted(path) and stays_inside(path) and not _is_gits(path)}
    contents = git.Contents(folder, blobs)
    for path in blobs:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents[path])
    return len(blobs)


def _is_gits(path: str) -> bool:
    """Whether it lies in a folder `.git`, as some file systems read names too; no honest commit has such a path."""
    return any(part.casefold().rstrip(". ") in (".git", "git~1") for part in path.split("/"))


def _new_allowed(folder: Path, task: Task, allowed: Iterable[Allowed], local: Hunks) -> Iterator[Allowed]:
    """The findings that a comment silences which the change adds: one more with these words than the file had."""
    by_path: dict[str, list[Allowed]] = {}
    for one in allowed:
        if local.shown(one.found.spot.path).added:
            by_path.setdefault(one.found.spot.path, []).append(one)
    if not by_path:
        return
    then, now = git.merge_base(folder, task.base, task.head), git.commit(folder, task.head)
    old, new = (git.Contents(folder, git.files(folder, commit)) for commit in (then, now))
    names = {show(path): path for path in old}
    for path, group in by_path.items():
        before = names.get(local.former(path), path)
        added = _comments(new, local.real(path)) - _comments(old, before)
        yield from (one for one in group if added[one.found.rule, one.reason] > 0)


def _comments(files: Mapping[str, bytes], path: str) -> Counter[tuple[str, str]]:
    """How often each (rule, reason) stands in the allow comments of a file."""
    source = files.get(path, b"")
    if b"guardrails:" not in source or passed_over(path, source):
        return Counter()
    lines = Lines(source)
    found = allow.read(path, read(path, source), lines) if language_of(path) is not None else allow.read_prose(path, lines)
    return Counter((rule, one.reason) for one in found for rule in one.rules if not one.fault)


def _passed_over(head: Mapping[str, bytes], local: Hunks) -> Iterator[str]:
    """Files of the change of which nothing is known, though they are code: too large, generated, binary."""
    for path in local:
        real = local.real(path)
        if language_of(path) is not None and real in head and passed_over(path, head[real]):
            yield path


def _sarif(result: Result) -> str:
    """The report without what is suppressed: code scanning would count it as open."""
    return report.render("sarif", msgspec.structs.replace(result, known=(), allowed=()), View(rules=rulebook.load()))
