"""Finds the folders that travel beside the code: in a wheel below `guardrails/_assets`, else beside the package in the checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


class AssetError(Exception):
    """A folder of the distribution is missing; the message is one sentence with the remedy."""


def folder(name: str, package: Path = PACKAGE) -> Path:
    """The folder `rules` or `templates`, of a wheel, an editable install or a checkout. Raises `AssetError` when it is nowhere."""
    candidates = (package / "_assets" / name, package.parent / name)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise AssetError(f"{candidates[0]}: the folder is missing; install again: pip install --force-reinstall worker-guardrails")
