"""`guardrails baseline`: adopt the linter on old code, where only what is new shall count."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from guardrails import baseline, lint
from guardrails.baseline import Baseline, BaselineError, Entry
from guardrails.cli import check, output
from guardrails.cli.program import Mistake, say
from guardrails.cli.progress import Progress
from guardrails.finding import CONFIDENCES
from guardrails.report.safe import visible
from guardrails.report.tally import count
from guardrails.result import Result

EPILOG = """\b
Examples:
  guardrails baseline write          take all of today's findings as known
  guardrails check                   tells only what is new from now on
  guardrails baseline prune          take out what was mended
  guardrails baseline show           what is known, by file
"""

_FILE = click.option("--file", "name", metavar="FILE", help=f"The baseline.  [default: {baseline.FILE} at the root of the project]")
_CACHE = click.option("--no-cache", is_flag=True, help="Read every file anew.")


@click.group("baseline", short_help="Adopt on old code: only what is new counts.", epilog=EPILOG)
def command() -> None:
    """Takes the findings of today as known, so that `guardrails check` tells only what is new.

    The file is sorted JSON with a line for each kind of finding in a function. Commit it: it is part of the gate.
    """


@command.command("write", short_help="Take all findings as known.")
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@_FILE
@click.option("--force", is_flag=True, help="Replace a file that cannot be read, too.")
@_CACHE
def write(paths: tuple[str, ...], name: str | None, force: bool, no_cache: bool) -> int:
    """Takes the findings in PATHS (the whole project if none is named) as known; those of other paths stay as they are."""
    request = check.from_paths(paths)
    path = _path(request, name)
    old = _old(path, name, force=force)
    result = _findings(request, cached=not no_cache)
    fresh = Baseline.of(result.findings)
    kept = [entry for entry in old.entries if paths and not _is_below(entry.path, request)]
    new = Baseline([*kept, *fresh.entries])
    output.save(new.text(), path)
    say(f"{visible(_shown(path))}: {count(new.size, 'finding')} known now, {count(old.size, 'finding')} before.")
    say("commit the file; `guardrails check` tells only what is new.")
    return 0


@command.command("prune", short_help="Take out what was mended.")
@_FILE
@_CACHE
def prune(name: str | None, no_cache: bool) -> int:
    """Takes out what no finding matches any more. Nothing is ever added."""
    request = check.from_paths(())
    path = _path(request, name)
    old = baseline.load(path, name or baseline.FILE)
    everything = msgspec.structs.replace(request.config, confidence=CONFIDENCES[-1], pedantic=True, select=(), ignore=())
    result = _findings(msgspec.structs.replace(request, config=everything), cached=not no_cache)
    stale = old.split(result.findings).stale
    new = old.without(stale)
    if stale:
        output.save(new.text(), path)
    say(f"{visible(_shown(path))}: {count(old.size - new.size, 'finding')} taken out, {count(new.size, 'finding')} left.")
    return 0


@command.command("show", short_help="What is known, by file.")
@_FILE
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to show it.")
def show(name: str | None, form: str) -> int:
    """Lists what the baseline holds. Nothing is checked."""
    known = baseline.load(_path(check.from_paths(()), name), name or baseline.FILE)
    output.emit(known.text() if form == "json" else "\n".join(_lines(known)) + "\n")
    return 0


def _lines(known: Baseline) -> list[str]:
    files: dict[str, list[Entry]] = {}
    for entry in known.entries:
        files.setdefault(entry.path, []).append(entry)
    lines = []
    for path, entries in files.items():
        lines.append(visible(path))
        lines += [visible(f"  {entry.rule:28} {entry.scope or 'the module'}{entry.times}") for entry in entries]
    return [*lines, f"{count(known.size, 'finding')} known in {count(len(files), 'file')}."]


def _findings(request: lint.Request, *, cached: bool) -> Result:
    with Progress() as progress:
        return lint.lint(msgspec.structs.replace(request, cached=cached, watch=progress))


def _path(request: lint.Request, name: str | None) -> Path:
    return Path(name) if name else request.root / baseline.FILE


def _old(path: Path, name: str | None, *, force: bool) -> Baseline:
    if path.is_symlink():
        raise Mistake(f"{_shown(path)}: this is a link, which may lead anywhere; take it away, or name another file")
    if not path.exists():
        if not path.parent.is_dir():
            raise Mistake(f"{path}: its folder does not exist; make it, or name another file")
        return Baseline(())
    try:
        return baseline.load(path, name or baseline.FILE)
    except BaselineError:
        if force:
            return Baseline(())
        raise


def _is_below(path: str, request: lint.Request) -> bool:
    whole = request.root / path
    return any(whole.is_relative_to(one) for one in request.paths)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)
