"""Files in, judged findings out: discover, understand, check, weigh by rule page and configuration, allow comments, fingerprints, order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from guardrails import change, git, rulebook
from guardrails.baseline import Baseline
from guardrails.cache import Cache, NoCache, Outlines, Shared
from guardrails.change.past import Past
from guardrails.config import MODELS, Config, load, models
from guardrails.files import Tree, discover, find_root, memory, show
from guardrails.lint.judging import judge
from guardrails.lint.request import InternalError, Known, More, Request, RequestError, Understood
from guardrails.read import LANGUAGES
from guardrails.result import Result

if TYPE_CHECKING:
    from guardrails.facts import Fact
    from guardrails.frameworks.catalogue import Catalogue
    from guardrails.project import Project


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
        tree = _tree(request)
    watch(f"reading {len(tree.paths)} files")
    store = Cache() if request.cached else NoCache()
    outlines: Outlines = store if request.diff is None else Shared(store)
    own = models(tree.root, request.config)
    project, known = _understand(tree, request, own, outlines)
    past = Past(request.baseline)
    if request.diff is not None:
        watch("reading the base")
        with request.clock.stage("find files"):
            started = change.before(tree.root, request.diff, tree, LANGUAGES, request.config.exclude)
        past = _past(started, tree, project, request, own, outlines)
    watch("checking")
    with request.clock.stage("judge"):
        if isinstance(store, Cache):
            store.prune()
        return judge(tree, project, known, request, outlines, past=past, more=_more(tree, project, known, request))


def lint_edited(request: Request, was: Callable[[str], bytes | None]) -> Result:
    """One run that tells only what files have that their older forms had not; `was` gives the older form by path, None for none.

    It is asked where anything was found. Raises as `lint` does.
    """
    tree, store = _tree(request), Cache() if request.cached else NoCache()
    outlines = Shared(store)
    found = _loaded(request, models(tree.root, request.config), outlines)
    project, known = _with(found, tree, request, outlines)
    result = judge(tree, project, known, request, outlines, more=(more := _more(tree, project, known, request)))
    old = {path: was(path) for path in {one.spot.path for one in result.findings}}
    if all(data is None for data in old.values()):
        return result
    base = tree.holding({path: data or b"" for path, data in old.items()})
    started = change.Before(change.HEAD, base, {}, {}, frozenset(old), frozenset())
    past = Past(request.baseline, _held(started, *_with(found, started.tree, request, outlines), request, outlines), started)
    return judge(tree, project, known, request, outlines, past=past, more=more)


def _more(tree: Tree, project: Project, known: Known, request: Request) -> Sequence[Fact]:
    """What the files for coding agents hold."""
    if request.more is None or not request.checks or not tree.instructions:
        return ()
    with request.clock.stage("read instructions"):
        return tuple(request.more(tree, project, known))


def _tree(request: Request) -> Tree:
    """The files that are told about: from disk, from the index, or from the commit that the change ends in."""
    if request.staged or (request.diff is not None and request.diff.head):
        name = git.INDEX if request.staged or request.diff is None else git.commit(request.root, request.diff.head)
        blobs = git.files(request.root, name)
        return discover(request.root, request.paths, LANGUAGES, request.config.exclude, git.Contents(request.root, blobs), blobs)
    return discover(request.root, request.paths, LANGUAGES, request.config.exclude, request.contents)


def _past(
    started: change.Before, tree: Tree, project: Project, request: Request, own: Sequence[tuple[str, str]], outlines: Outlines
) -> Past:
    """What the base of a change holds, and what the change does."""
    from guardrails.change.jobs import Jobs
    from guardrails.change.relaxed import relaxed

    before, known = _understand(started.tree, request, own, outlines)
    held = _held(started, before, known, request, outlines)
    more = (*Jobs(started, before, tree, project).facts(), *relaxed(started, tree, outlines.outline))
    return Past(request.baseline, held, started, more)


def _held(started: change.Before, before: Project, known: Known, request: Request, outlines: Outlines) -> Baseline:
    """All that is found in the base of a change."""
    config = msgspec.structs.replace(request.config, confidence="low")
    everything = msgspec.structs.replace(request, config=config, at_least="info", baseline=None)
    more = _more(started.tree, before, known, request)
    return Baseline.of(judge(started.tree, before, known, everything, outlines, more=more).findings, started.renames)


def lint_texts(
    files: Mapping[str, str | bytes], config: Config | None = None, today: date = date.min, strict: bool = False,
    before: Mapping[str, str | bytes] | None = None, more: More | None = None,
) -> Result:  # fmt: skip
    """One run over a project that exists in memory only; `before` is the project from which a change to it started."""
    tree = memory(files, LANGUAGES)
    request = Request(tree.root, config or Config(tests="report"), today, strict=strict, cached=False, more=more)
    extra = [(path, text if isinstance(text, str) else text.decode()) for path, text in sorted(files.items()) if path.startswith(MODELS)]
    project, known = _understand(tree, request, extra, NoCache())
    past = Past()
    if before is not None:
        past = _past(change.before_texts(before, tree, LANGUAGES), tree, project, request, extra, NoCache())
    return judge(tree, project, known, request, NoCache(), past=past, more=_more(tree, project, known, request))


def _understand(tree: Tree, request: Request, extra: Sequence[tuple[str, str]], outlines: Outlines) -> tuple[Project, Known]:
    return _with(_loaded(request, extra, outlines), tree, request, outlines)


def _loaded(request: Request, extra: Sequence[tuple[str, str]], outlines: Outlines) -> Catalogue:
    """The models of all frameworks, with those of the project."""
    from guardrails.frameworks import catalogue
    from guardrails.frameworks.own import models_of

    with request.clock.stage("load models"):
        return catalogue.load(extra, outlines.remember if request.cached else None, models_of(request.config))


def _with(found: Catalogue, tree: Tree, request: Request, outlines: Outlines) -> tuple[Project, Known]:
    """The project, understood by these models."""
    from guardrails.project import understand

    known = Known(found.signs(), tuple(sorted({model.framework for model in found.models if model.jobs})))
    survey = request.survey or (request.more is not None and any(b"<!-- guardrails:" in tree.load(path) for path in tree.instructions))
    return understand(tree, found, request.config, request.clock.timed("read", outlines.outline), request.clock, survey), known


__all__ = [
    "InternalError",
    "Known",
    "More",
    "Request",
    "RequestError",
    "Understood",
    "judge",
    "lint",
    "lint_edited",
    "lint_texts",
    "prepare",
]
