"""From what shall stand in a project to what is to be written: planned as a whole, written as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from guardrails.instruct import blocks, json_, whole
from guardrails.instruct.changes import EDITED, LINK, WRITTEN, Change
from guardrails.instruct.disk import write as write
from guardrails.instruct.found import MAX_BYTES, Managed
from guardrails.instruct.json_ import Unfit
from guardrails.instruct.marks import Broken, said
from guardrails.instruct.target import Kind, Target
from guardrails.instruct.text import Coding, decode
from guardrails.paths import folders_above, read_plain, stays_inside


class _Wish(msgspec.Struct, frozen=True):
    """A part of a file as it shall be; `body` is None for one that shall go."""

    kind: Kind
    id: str
    body: str | None


class _Foreign(Exception):
    """The file is somebody else's."""


def plan(root: Path, targets: Iterable[Target], *, gone: Iterable[Managed] = (), force: bool = False) -> list[Change]:
    """What is to be done for the targets to stand there, and for what is `gone` to stand there no more. Nothing is written.

    Raises `OSError` for a file that cannot be read.
    """
    wishes: dict[str, list[_Wish]] = {}
    for target in targets:
        wishes.setdefault(target.path, []).append(_Wish(target.kind, target.id, target.body))
    faults: dict[str, str] = {}
    for one in gone:
        wishes.setdefault(one.path, []).append(_Wish(one.kind, one.id, None))
        if one.fault:
            faults[one.path] = one.fault
    return [_planned(root, path, wishes[path], faults.get(path, ""), force) for path in wishes]


def _planned(root: Path, path: str, wishes: Sequence[_Wish], fault: str, force: bool) -> Change:
    if why := obstacle(root, path):
        return Change(path, None, None, "left", why)
    data = read_plain(root / path, MAX_BYTES) if (root / path).exists() else None
    if isinstance(data, str):
        return Change(path, None, None, "left", f"it is {data}")
    read = decode(data) if data is not None else (Coding(), None)
    if read is None:
        return Change(path, data, data, "left", "it is no text in an encoding that is known")
    coding, text = read
    try:
        if fault:
            raise Broken(fault)
        parts = [_part(path, text, wish) for wish in wishes]
        return _checked(root, _made(root, path, data, coding, text, wishes), any(parts), force)
    except _Foreign:
        return Change(path, data, data, "left", "it is not from guardrails; move it to have ours there")
    except (Broken, Unfit) as error:
        return Change(path, data, data, "refused", str(error))


def _part(path: str, text: str | None, wish: _Wish) -> bool:
    """Whether the part was changed by hand, and says something else than it shall. Raises for one that must not be touched."""
    if text is None or wish.kind == "json":
        return False
    if wish.kind == "file":
        found = whole.whole(text)
        if found is None:
            raise _Foreign
        return found.is_edited and not (wish.body is not None and whole.says(path, found, wish.body))
    part = blocks.block(text, wish.id)
    return part is not None and part.is_edited and (wish.body is None or said(part.body) != said(wish.body))


def _made(root: Path, path: str, data: bytes | None, coding: Coding, text: str | None, wishes: Sequence[_Wish]) -> Change:
    """The change, whatever was changed by hand."""
    keep = _empty_folders(root, path) if data is None else _kept(path, text or "")
    now, is_new = text, False
    for wish in wishes:
        if wish.body is None:
            now = None if now is None else _taken(now, wish)
            continue
        is_new = is_new or not _stands(now, wish)
        now = _put(path, now, wish, keep)
    after = None if now is None else coding.bytes_of(now)
    if after == data:
        return Change(path, data, after, "unchanged", keep=keep)
    gone = after is None or all(wish.body is None for wish in wishes)
    return Change(path, data, after, "removed" if gone else "written" if is_new else "updated", keep=keep)


def _stands(text: str | None, wish: _Wish) -> bool:
    """Whether the part is in the file already, whatever it says."""
    if text is None or wish.kind == "file":
        return text is not None
    return json_.calls_us(text) if wish.kind == "json" else blocks.block(text, wish.id) is not None


def _put(path: str, text: str | None, wish: _Wish, keep: int) -> str:
    body = wish.body or ""
    if wish.kind == "json":
        return json_.put(text, body, keep)
    put = whole.put if wish.kind == "file" else blocks.put
    return put(path, text, wish.id, body, keep)


def _taken(text: str, wish: _Wish) -> str | None:
    if wish.kind == "json":
        return json_.take(text)
    return None if wish.kind == "file" else blocks.take(text, wish.id)


def _kept(path: str, text: str) -> int:
    """The folders that a file of ours says were there before."""
    if path.endswith(".json"):
        return json_.kept(text)
    found = whole.whole(text)
    return found.mark.keep if found is not None else max((one.mark.keep for one in blocks.blocks(text)), default=0)


def _checked(root: Path, change: Change, is_edited: bool, force: bool) -> Change:
    """The change as it may be made: not over what was changed by hand, but with a backup; not where nothing can be written."""
    if change.state not in WRITTEN:
        return change
    if is_edited and not force:
        return msgspec.structs.replace(change, state="refused", why=EDITED)
    if why := _unwritable(root, change.path):
        return msgspec.structs.replace(change, state="refused", why=why)
    return msgspec.structs.replace(change, backup=_free_name(root, change.path)) if is_edited else change


def obstacle(root: Path, path: str) -> str:
    """Why nothing may be read or written under this name, "" where it may: it leads out of the root, or through a link."""
    if not path or not stays_inside(path):
        return "it lies outside of the project"
    for folder in folders_above(path):
        if (root / folder).is_symlink():
            return f"{folder}{LINK}"
        if os.path.lexists(root / folder) and not (root / folder).is_dir():
            return f"{folder} is no folder"
    file = root / path
    if file.is_symlink():
        return f"it is a link to {file.readlink()}"
    return "it is no plain file" if file.exists() and not file.is_file() else ""


def _unwritable(root: Path, path: str) -> str:
    file = root / path
    if file.exists() and (not file.stat().st_mode & 0o222 or not os.access(file, os.W_OK)):
        return "it is read-only"
    folder = next(one for one in file.parents if one.exists())
    if not folder.stat().st_mode & 0o222 or not os.access(folder, os.W_OK):
        return "its folder is read-only"
    return ""


def _empty_folders(root: Path, path: str) -> int:
    """How many folders of a path are there where the last of them is empty, so that nothing else would tell that it was."""
    there = [folder for folder in folders_above(path) if (root / folder).is_dir()]
    return len(there) if there and not any((root / there[-1]).iterdir()) else 0


def _free_name(root: Path, path: str) -> str:
    names = (f"{path}.bak{number or ''}" for number in range(1000))
    return next(name for name in names if not os.path.lexists(root / name))
