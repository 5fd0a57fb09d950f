"""`guardrails jobs-map`: what was recognised, job by job."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
import msgspec

from guardrails import lint
from guardrails.cli import here, output, shown
from guardrails.cli.check import from_paths
from guardrails.cli.program import say
from guardrails.cli.progress import Progress
from guardrails.inventory import Inventory
from guardrails.report.ink import Ink

Form = Literal["text", "json", "mermaid"]

EPILOG = """\b
Examples:
  guardrails jobs-map                               the project you are in
  guardrails jobs-map src/shop --all                some of it, with everybody who starts a job
  guardrails jobs-map --format json -o jobs.json    for a program
  guardrails jobs-map --format mermaid              a flowchart for a Markdown page
"""


@click.command("jobs-map", short_help="Show the jobs that were recognised, and who starts them.", epilog=EPILOG)
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("--format", "form", type=click.Choice(["text", "json", "mermaid"]), default="text", show_default=True, help="How to show it.")
@click.option("-o", "--output", "target", metavar="FILE", type=click.Path(path_type=Path), help="Write the map to a file.")
@click.option("--all", "every", is_flag=True, help="Name everybody who starts a job, however many there are.")
@click.option("--tests", is_flag=True, help="Show jobs of test files, too.")
@click.option("--no-cache", is_flag=True, help="Read every file anew.")
def command(paths: tuple[str, ...], form: Form, target: Path | None, every: bool, tests: bool, no_cache: bool) -> None:
    """Show the background jobs in PATHS (files or folders; the current folder if none is named).

    Each job comes with its time limit, retries and queue, with where each of these was found, and with the handlers, jobs, schedules and
    functions that start it.
    """
    with Progress() as progress:
        request = from_paths(paths)
        config = msgspec.structs.replace(request.config, tests="report" if tests else request.config.tests)
        request = msgspec.structs.replace(request, config=config, survey=True, checks=False, cached=not no_cache, watch=progress)
        result = lint.lint(request)
    inventory = result.inventory or Inventory()
    _show(here.moved_map(inventory, request.root) if form == "text" else inventory, form, target, every)
    if not result.summary.files:
        say("no file of a known language was found there.")


def _show(inventory: Inventory, form: Form, target: Path | None, every: bool) -> None:
    to_file = target is not None and str(target) != "-"
    color = form == "text" and not to_file and shown.color()
    text = render(inventory, form, Ink(color), shown.WIDEST if to_file else shown.columns(), every)
    if target is not None and to_file:
        output.save(text, target)
        say(f"the map is in {target}.")
    else:
        output.emit(text, color)


def render(inventory: Inventory, form: Form, ink: Ink, columns: int, every: bool) -> str:
    """The map in one of its forms."""
    match form:
        case "json":
            from guardrails.report import jobs_json

            return jobs_json.render(inventory)
        case "mermaid":
            from guardrails.report import jobs_mermaid

            return jobs_mermaid.render(inventory)
        case "text":
            from guardrails.report import jobs_text

            return jobs_text.render(inventory, ink, columns, every)
