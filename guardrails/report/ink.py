"""Colours by meaning, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "info": {"fg": "cyan", "bold": True},
    "strong": {"bold": True},
    "good": {"fg": "green", "bold": True},
    "gutter": {"fg": "blue"},
    "second": {"fg": "blue", "bold": True},
    "quiet": {"dim": True},
}


class Ink:
    """Paints text when colours are on."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, text: str, style: str) -> str:
        """The text in a style of `STYLES`."""
        return click.style(text, **STYLES[style]) if self.color and text else text


def wanted(environ: Mapping[str, str], terminal: bool) -> bool:
    """Whether to colour: NO_COLOR forbids, FORCE_COLOR demands, else a terminal that is not `dumb` decides."""
    if environ.get("NO_COLOR"):
        return False
    force = environ.get("FORCE_COLOR", "")
    if force:
        return force != "0"
    return terminal and environ.get("TERM") != "dumb"
