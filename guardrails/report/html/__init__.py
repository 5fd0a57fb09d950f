"""`--format html`: one page that needs no network. Its own style and script are all that its content security policy lets run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

import guardrails
from guardrails import assets
from guardrails.report.html.chart import chart
from guardrails.report.html.page import page
from guardrails.report.view import View
from guardrails.result import Result

FOLDER = "report"


def render(result: Result, view: View) -> str:
    """The page, ending in a newline."""
    folder = assets.folder("templates") / FOLDER
    style, script = _own(folder / "report.css"), _own(folder / "report.js")
    told = page(result, view)
    return _template(folder).render(
        page=told,
        inventory=told.inventory,
        chart=chart(result.inventory) if result.inventory else None,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        version=guardrails.__version__,
    )


@cache
def _template(folder: Path) -> Template:
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("report.html")


def _own(path: Path) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup(path.read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    """What the policy allows this text by."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
