"""What a run is compared with: the baseline, the base of a change, what is staged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guardrails import baseline, change, lint
from guardrails.baseline import Baseline
from guardrails.cli.program import Mistake
from guardrails.paths import stays_inside


def against(request: lint.Request, diff: str | None, named: str | None, *, staged: bool, fresh: bool) -> dict[str, Any]:
    """The fields of a request that say so. `named` is a baseline file; `fresh`: none is used."""
    if named and fresh:
        raise Mistake("--baseline names a file and --no-baseline wants none; give one of them")
    if staged and request.contents:
        raise Mistake("--staged reads what git has staged, and --stdin-filename standard input; give one of them")
    spec = change.Named.of(diff) if diff else None
    if staged and spec is not None and spec.head:
        raise Mistake(f"--diff {diff} names where the change ends, and --staged says it ends in the index; name the base only")
    found: dict[str, Any] = {"diff": spec, "staged": staged, "baseline": None if fresh else adopted(request.root, named)}
    if staged and spec is None:
        found["paths"] = _staged(request)
    return found


def adopted(root: Path, named: str | None) -> Baseline | None:
    """The baseline of a project: the named file, else the usual one where it is there."""
    return baseline.usual(root) if named is None else baseline.load(Path(named), named)


def _staged(request: lint.Request) -> tuple[Path, ...]:
    """The staged files, as far as they lie below the paths that were named."""
    files = [request.root / path for path in change.staged(request.root) if stays_inside(path)]
    wanted = request.paths or (request.root,)
    kept = tuple(path for path in files if any(path.is_relative_to(one) for one in wanted))
    if not kept:
        raise Nothing
    return kept


class Nothing(Exception):
    """Nothing is staged, so there is nothing to check."""
