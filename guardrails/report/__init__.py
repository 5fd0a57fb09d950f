"""What a run found, told for a reader: people, programs, code scanning, annotations, agents."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrails.report.view import View
    from guardrails.result import Result

# name -> module, loaded when it is asked for
FORMATS = {
    "text": "text", "json": "json_", "sarif": "sarif", "github": "github", "gitlab": "gitlab", "junit": "junit", "markdown": "markdown",
    "agent": "agent", "html": "html",
}  # fmt: skip


def render(name: str, result: Result, view: View) -> str:
    """The report in a format of `FORMATS`: the same text for the same result, whatever the machine."""
    rendered: str = import_module(f"guardrails.report.{FORMATS[name]}").render(result, view)
    return rendered
