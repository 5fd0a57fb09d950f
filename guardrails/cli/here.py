"""Paths as the reader's place sees them: a terminal follows them from the current folder, GitHub and GitLab from their workspace.

The other formats keep paths that are relative to the root, so that they are the same wherever the linter was started.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from guardrails.files import show
from guardrails.inventory import Inventory
from guardrails.result import Result, Spot

FROM_HERE = ("text", "agent", "github")
WORKSPACES = {"github": "GITHUB_WORKSPACE", "gitlab": "CI_PROJECT_DIR", "junit": "CI_PROJECT_DIR"}
Rename = Callable[[str], str]


def moved(form: str, result: Result, root: Path) -> Result:
    """The result with paths from where the reader of a format stands; unchanged where that is in quite another tree."""
    base = _base(form)
    rename = _from_here(root, base) if base is not None else None
    if rename is None:
        return result
    sources = {rename(path): source for path, source in result.sources.items()}
    here: Result = _replaced(result, rename)
    return msgspec.structs.replace(here, sources=sources)


def moved_map(inventory: Inventory, root: Path) -> Inventory:
    """The inventory with paths from the current folder."""
    rename = _from_here(root, Path.cwd().resolve())
    return _replaced(inventory, rename) if rename is not None else inventory


def _replaced(one: Any, rename: Rename) -> Any:
    """A structure with the path of every spot in it renamed."""
    if isinstance(one, Spot):
        return msgspec.structs.replace(one, path=rename(one.path))
    if isinstance(one, tuple):
        return tuple(_replaced(item, rename) for item in one)
    if isinstance(one, msgspec.Struct):
        fields = {name: getattr(one, name) for name in one.__struct_fields__}
        return msgspec.structs.replace(one, **{name: _replaced(value, rename) for name, value in fields.items()})
    return one


def _base(form: str) -> Path | None:
    """Where the reader of a format stands, None for the root."""
    workspace = os.environ.get(WORKSPACES.get(form, ""), "")
    return Path(workspace or Path.cwd()).resolve() if workspace or form in FROM_HERE else None


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
