"""What of ours stands in a project, told by its markers and hook commands alone: nothing else remembers it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from guardrails.files import SKIPPED_FOLDERS
from guardrails.instruct.blocks import blocks
from guardrails.instruct.json_ import Unfit, calls_us, is_ours, parse
from guardrails.instruct.marks import Broken
from guardrails.instruct.target import Kind
from guardrails.instruct.text import decode
from guardrails.instruct.whole import whole
from guardrails.paths import matcher, read_plain

NAMES = frozenset({"AGENTS.md", "CLAUDE.md", "GEMINI.md", ".gitlab-ci.yml", ".pre-commit-config.yaml"})
FOLDERS = frozenset({".agents", ".claude", ".github", ".gitlab", ".cursor", ".codex", ".gemini"})
SUFFIXES = (".md", ".mdc", ".yml", ".yaml", ".json")
MAX_BYTES = 4_000_000


class Managed(msgspec.Struct, frozen=True, order=True):
    """A block, a file or the hooks of ours in a file. `is_edited`: by hand; `fault`: why nobody can tell what of ours is in it."""

    path: str
    kind: Kind
    id: str = ""
    is_edited: bool = False
    fault: str = ""


def managed(root: Path, exclude: Sequence[str] = ()) -> list[Managed]:
    """All that is ours below `root`, by path; other repositories inside it and what is excluded aside."""
    return sorted(one for path in _paths(root, exclude) for one in _in(root, path))


def _paths(root: Path, exclude: Sequence[str]) -> Iterator[str]:
    """The files that we may have written."""
    excluded = matcher(exclude).match_file if exclude else lambda _: False
    for folder, names, files in os.walk(root):
        inside = Path(folder).relative_to(root).as_posix()
        lead = "" if inside == "." else f"{inside}/"
        names[:] = sorted(
            name
            for name in names
            if name not in SKIPPED_FOLDERS and not excluded(f"{lead}{name}/") and not os.path.lexists(f"{folder}/{name}/.git")
        )
        known = not FOLDERS.isdisjoint(inside.split("/"))
        for name in files:
            if (name in NAMES or (known and name.endswith(SUFFIXES))) and not excluded(lead + name):
                yield lead + name


def text_of(root: Path, path: str) -> str | None:
    """What a file says, None for one that cannot be read as text."""
    try:
        data = read_plain(root / path, MAX_BYTES)
    except OSError:
        return None
    read = decode(data) if isinstance(data, bytes) else None
    return read[1] if read is not None else None


def _in(root: Path, path: str) -> Iterator[Managed]:
    text = text_of(root, path)
    if text is not None and "guardrails" in text:
        yield from _hooks(path, text) if path.endswith(".json") else _marked(path, text)


def _hooks(path: str, text: str) -> Iterator[Managed]:
    try:
        if is_ours(parse(text)):
            yield Managed(path, "json")
    except Unfit as error:
        if calls_us(text):
            yield Managed(path, "json", fault=str(error))


def _marked(path: str, text: str) -> Iterator[Managed]:
    try:
        file = whole(text)
        if file is not None:
            yield Managed(path, "file", file.mark.id, file.is_edited)
            return
        for one in blocks(text):
            yield Managed(path, "block", one.id, one.is_edited)
    except Broken as error:
        yield Managed(path, "block", fault=str(error))
