"""What was raised: a sentence for a mistake of the user's; for one of ours a short report, with the traceback in a file."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback

import click

import guardrails
from guardrails.assets import AssetError
from guardrails.baseline import BaselineError
from guardrails.cli.program import MISTAKE, say
from guardrails.config import ConfigError
from guardrails.frameworks.catalogue import ModelError
from guardrails.git import GitError
from guardrails.lint import InternalError, RequestError
from guardrails.report.safe import visible
from guardrails.rulebook import PageError

LAST = 40  # lines of the traceback that the report keeps
INTERNAL = 3
MISTAKES = (AssetError, BaselineError, ConfigError, GitError, ModelError, PageError, RequestError)  # their messages are sentences


def tell(error: BaseException) -> int:
    """Says what happened; returns the exit status."""
    if isinstance(error, MISTAKES):
        say(str(error))
        return MISTAKE
    _tell_of_ours(error)
    return INTERNAL


def _tell_of_ours(error: BaseException) -> None:
    rule = guilty_rule(error)
    what = str(error) if isinstance(error, InternalError) else f"{type(error).__name__}: {error}"
    click.echo(f"guardrails: internal error: {visible(what[:300])}", err=True)
    path = save(error, rule)
    where = f"The report is in {path}; please" if path else "Please"
    click.echo(f"This is a bug in guardrails {guardrails.__version__}, not in your code.", err=True)
    click.echo(f"{where} file it with the project, with the smallest source that shows it.", err=True)
    if rule:
        click.echo(f"Until it is mended, this leaves the rule out: --ignore {rule}", err=True)


def guilty_rule(error: BaseException) -> str:
    """The rule whose check raised, "" if none did."""
    return error.rule if isinstance(error, InternalError) else ""


def report(error: BaseException, rule: str) -> str:
    """What a maintainer needs to know."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    head = [
        f"guardrails {guardrails.__version__}",
        f"Python {sys.version.split()[0]} ({sys.implementation.name})",
        f"Platform {platform.platform()}",
        f"Rule {rule or '-'}",
        "",
    ]
    return "\n".join([*head, *lines[-LAST:]]) + "\n"


def save(error: BaseException, rule: str) -> str:
    """Writes the report to a new temporary file and returns its path, "" where that is not possible."""
    try:
        handle, path = tempfile.mkstemp(prefix="guardrails-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(report(error, rule))
    except OSError:
        return ""
    return path
