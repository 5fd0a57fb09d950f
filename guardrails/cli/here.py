"""Paths as the reader's place sees them: a terminal follows them from the current folder, GitHub from its workspace.

JSON and SARIF keep paths that are relative to the root, so that they are the same wherever the linter was started.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from guardrails.files import show
from guardrails.result import Found, Remark, Result, Spot

Rename = Callable[[str], str]


def moved(form: str, result: Result, root: Path) -> Result:
    """The result with paths from where the reader of a format stands; unchanged where that is in quite another tree."""
    if form not in ("text", "github"):
        return result
    rename = _from_here(root, _base(form))
    return _renamed(result, rename) if rename is not None else result


def _base(form: str) -> Path:
    workspace = os.environ.get("GITHUB_WORKSPACE") if form == "github" else None
    return Path(workspace or Path.cwd()).resolve()


def _from_here(root: Path, base: Path) -> Rename | None:
    if base == root:
        return None
    if root.is_relative_to(base):
        lead = show(root.relative_to(base).as_posix())
        return lambda path: f"{lead}/{path}"
    if base.is_relative_to(root):
        inside = show(base.relative_to(root).as_posix())
        return lambda path: os.path.relpath(path, inside).replace(os.sep, "/")
    return None


def _renamed(result: Result, rename: Rename) -> Result:
    def spot(old: Spot) -> Spot:
        return msgspec.structs.replace(old, path=rename(old.path))

    def remarks(old: tuple[Remark, ...]) -> tuple[Remark, ...]:
        return tuple(msgspec.structs.replace(remark, spot=spot(remark.spot)) for remark in old)

    def found(old: Found) -> Found:
        return msgspec.structs.replace(old, spot=spot(old.spot), related=remarks(old.related))

    return msgspec.structs.replace(
        result,
        findings=tuple(found(one) for one in result.findings),
        unknown=remarks(result.unknown),
        unreadable=remarks(result.unreadable),
        allowed=tuple(msgspec.structs.replace(one, found=found(one.found)) for one in result.allowed),
        sources={rename(path): source for path, source in result.sources.items()},
    )
