"""The generated parts of instruction files, beside what would be generated now."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from guardrails import lint
from guardrails.config import Config
from guardrails.facts import Scope
from guardrails.facts.instructions import Managed
from guardrails.files import Tree, is_test
from guardrails.instruct.blocks import blocks
from guardrails.instruct.marks import Broken, Mark
from guardrails.instruct.text import decode
from guardrails.instruct.whole import whole
from guardrails.place import Place, Spot

if TYPE_CHECKING:
    from guardrails.instruct.changes import Change
    from guardrails.result import Result


def parts(tree: Tree, project: lint.Understood, known: lint.Known, config: Config) -> Iterator[Managed]:
    """A fact a generated part. What is on disk is compared with what would be written, if the whole project was read from there."""
    found = [part for path in tree.instructions for part in _in(path, tree.load(path))]
    usual = {part.place.path for part in found if not (part.fault or part.is_edited)}
    stale = _stale(tree, project, known, config, usual) if usual and tree.is_whole else frozenset()
    for part in found:
        is_stale = part.place.path in stale and not (part.fault or part.is_edited)
        yield Managed(
            place=part.place, scope=part.scope, framework="", language="markdown", name=part.name, is_edited=part.is_edited,
            is_stale=is_stale, fault=part.fault,
        )  # fmt: skip


def _in(path: str, data: bytes) -> Iterator[Managed]:
    read = decode(data) if b"guardrails:" in data else None
    if read is None:
        return
    coding, text = read
    try:
        file = whole(text)
        marked = [(file.mark, file.is_edited)] if file else [(one.mark, one.is_edited) for one in blocks(text)]
    except Broken as error:
        yield _part(Place(path, 0, 0), "", fault=str(error))
        return
    for mark, is_edited in marked:
        yield _part(_place(path, mark, text, len(coding.mark), coding.name), mark.id, is_edited=is_edited)


def _place(path: str, mark: Mark, text: str, lead: int, encoding: str) -> Place:
    """The marker's line, without what ends it."""
    line = text[mark.start : mark.stop].rstrip()
    start = lead + len(text[: mark.start].encode(encoding, "surrogatepass" if encoding != "utf-8" else "surrogateescape"))
    return Place(path, start, start + len(line.encode(encoding, "replace")))


def _part(place: Place, name: str, *, is_edited: bool = False, fault: str = "") -> Managed:
    return Managed(
        place=place, scope=Scope(place.path, 0, ""), framework="", language="markdown", name=name, is_edited=is_edited, fault=fault
    )


def _stale(tree: Tree, project: lint.Understood, known: lint.Known, config: Config, paths: Collection[str]) -> frozenset[str]:
    """Those of these files whose generated part is not what it would be."""
    from guardrails.instruct import apply, content, seen

    result = _surveyed(tree, project, known, config)
    if result is None:
        return frozenset()
    looked = seen.look(tree.root, result, config.exclude)
    targets = content.targets(looked, content.enabled(config, looked), tuple(seen.CLIENTS))
    try:
        changes: list[Change] = apply.plan(tree.root, [target for target in targets if target.path in paths])
    except OSError:
        return frozenset()
    return frozenset(change.path for change in changes if change.is_stale)


def _surveyed(tree: Tree, project: lint.Understood, known: lint.Known, config: Config) -> Result | None:
    """What a run over all of the project would say of its jobs."""
    from guardrails.lines import Lines
    from guardrails.project import Project
    from guardrails.result import Result, Summary
    from guardrails.survey import survey

    if not isinstance(project, Project):
        return None
    lines: dict[str, Lines] = {}

    def spot(place: Place) -> Spot:
        if place.path not in lines:
            source = project.sources.get(place.path)
            lines[place.path] = Lines(tree.load(place.path) if source is None else source)
        return lines[place.path].spot(place.path, place.start, place.end)

    judged = {path for path in tree.paths if config.tests == "report" or not is_test(path)}
    return Result((), (), (), (), Summary(looked_for=known.frameworks), {}, inventory=survey(project, judged, spot))
