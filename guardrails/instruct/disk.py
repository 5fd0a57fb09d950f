"""Writes planned changes: each file in one step, and all of them or none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from guardrails.instruct.changes import WRITTEN, Change
from guardrails.paths import folders_above, read_plain
from guardrails.writing import lay, replace


class Unwritten(Exception):
    """Nothing was written; the message is one sentence."""


def write(root: Path, changes: Iterable[Change]) -> None:
    """Does what was planned. Raises `Unwritten` where a change was refused, a file is not as it was, or the disk says no."""
    planned = list(changes)
    if refused := [change for change in planned if change.state == "refused"]:
        raise Unwritten(f"{refused[0].path}: {refused[0].why}; nothing was written")
    todo = [change for change in planned if change.state in WRITTEN]
    for change in todo:
        _require_same(root, change)
    with contextlib.ExitStack() as undo:
        try:
            aside = _done(root, todo, undo)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise Unwritten(f"{error.filename or 'a file'}: {why}; nothing was written") from None
        undo.pop_all()
    for file in aside:
        file.unlink(missing_ok=True)
    _clear(root, [change for change in todo if change.after is None])


def _require_same(root: Path, change: Change) -> None:
    """Links are no obstacle here: a file behind one was never planned for, and what became one is not the same."""
    file = root / change.path
    now = read_plain(file, 1 << 30) if os.path.lexists(file) else None
    if now != change.before or file.parent.resolve() != root.resolve() / Path(change.path).parent:
        raise Unwritten(f"{change.path} was changed while it was looked at; nothing was written, run again")


def _done(root: Path, todo: Sequence[Change], undo: contextlib.ExitStack) -> list[Path]:
    """Everything that was planned, with what takes it back; the removed files under the names that they have until the end."""
    laid = []
    for change in todo:
        if change.backup:
            backup = root / change.backup
            undo.callback(backup.unlink, missing_ok=True)
            replace(backup, change.before or b"")
        if change.after is not None:
            laid.append((_laid(root / change.path, change.after, undo), change))
    for made, change in laid:
        undo.callback(_restore, root / change.path, change.before)
        made.replace(root / change.path)
    return [_aside(root / change.path, undo) for change in todo if change.after is None]


def _laid(target: Path, data: bytes, undo: contextlib.ExitStack) -> Path:
    """The new file beside its target, in folders that are made where they miss."""
    for folder in reversed([one for one in target.parents if not one.exists()]):
        folder.mkdir()
        undo.callback(folder.rmdir)
    made = lay(target, data)
    undo.callback(made.unlink, missing_ok=True)
    return made


def _restore(target: Path, before: bytes | None) -> None:
    if before is None:
        target.unlink(missing_ok=True)
    elif target.read_bytes() != before:
        replace(target, before)


def _aside(target: Path, undo: contextlib.ExitStack) -> Path:
    """A removed file under another name, so that it can come back."""
    name = lay(target, b"")
    undo.callback(name.unlink, missing_ok=True)
    target.replace(name)
    undo.callback(_back, name, target)
    return name


def _back(name: Path, target: Path) -> None:
    name.replace(target)


def _clear(root: Path, removed: Sequence[Change]) -> None:
    """Takes away the folders that were made for files that are gone, from the innermost; one that holds anything stays."""
    kept = {folder for change in removed for folder in list(folders_above(change.path))[: change.keep]}
    made = {folder for change in removed for folder in folders_above(change.path)} - kept
    for folder in sorted(made, reverse=True):
        with contextlib.suppress(OSError):
            (root / folder).rmdir()
