"""`guardrails check`: lint, report, and judge by the exit status."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from guardrails import lint, report, rulebook
from guardrails.cli import allowing, compared, here, names, output, outputs, shown
from guardrails.cli.program import MISTAKE, Mistake, say
from guardrails.cli.progress import Progress
from guardrails.config import GATES, Config, Gate
from guardrails.finding import CONFIDENCES, SEVERITIES, Confidence, Severity
from guardrails.instruct.reader import reader
from guardrails.report.tally import passed_over, verdict
from guardrails.report.view import View
from guardrails.result import Result, Summary
from guardrails.rulebook import Rule

FINDINGS = 1
STDIN = "-"

EPILOG = """\b
Examples:
  guardrails check                                  the project you are in
  guardrails check src/worker.py                    one file, seen within its project
  guardrails check --select untimed-job --all       one rule, every finding in full
  guardrails check --fail-on warning                a stricter gate
  guardrails check --format sarif --output x.sarif  for code scanning
  guardrails check -o html:report.html -o text:-    several reports of one run
  guardrails check --diff origin/main               only what this branch makes worse
  guardrails check --fix --dry-run                  what a machine can mend, as a diff
  guardrails check --stdin-filename src/worker.py - < buffer

\b
Exit status: 0 nothing at or above --fail-on, 1 findings, 2 usage or configuration error,
3 internal error, 130 interrupted.

\b
A finding is allowed where it stands, with a reason:
  # guardrails: allow untimed-job -- the broker stops it after 60 s
"""


class Options(msgspec.Struct, frozen=True):
    """The command line, as it was given."""

    paths: tuple[str, ...]
    form: str | None
    output: tuple[str, ...]
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    severity: Severity
    confidence: Confidence | None
    pedantic: bool
    fail_on: Gate | None
    strict: bool
    tests: bool
    every: bool
    show_unknown: bool
    statistics: bool
    stdin_filename: str | None
    diff: str | None
    staged: bool
    baseline: str | None
    no_baseline: bool
    fix: bool
    unsafe: bool
    dry_run: bool
    add_allow: str | None
    no_cache: bool
    profile: bool


NOTHING = Result((), (), (), (), Summary(), {})


@click.command("check", short_help="Find unsafe worker code.", epilog=EPILOG)
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option("--format", "form", type=click.Choice(list(report.FORMATS)), help="How to report.  [default: text]")
@click.option("-o", "--output", multiple=True, metavar="[FORMAT:]FILE", help="Write a report to a file; may be repeated.")
@click.option("-s", "--select", multiple=True, metavar="RULE[,RULE...]", help="Run these rules only.")
@click.option("-i", "--ignore", multiple=True, metavar="RULE[,RULE...]", help="Leave these rules out.")
@click.option("--severity", type=click.Choice(SEVERITIES), default="info", show_default=True, help="Show findings from here up.")
@click.option("--confidence", type=click.Choice(CONFIDENCES), help="Show findings from here up.  [default: medium]")
@click.option("--pedantic", is_flag=True, help="Run the pedantic rules, too.")
@click.option("--fail-on", type=click.Choice(GATES), help="Exit with 1 for a finding from here up.  [default: error]")
@click.option("--strict", is_flag=True, help="A file that cannot be read whole is an error.")
@click.option("--tests", is_flag=True, help="Report on test files, too.")
@click.option("--all", "every", is_flag=True, help="Show every finding in full, however many there are.")
@click.option("--show-unknown", is_flag=True, help="List the places that could not be judged.")
@click.option("--statistics", is_flag=True, help="Count findings and jobs, too (text and json).")
@click.option("--diff", metavar="BASE", help="Tell only what is new since HEAD left BASE; BASE...HEAD compares commits.")
@click.option("--staged", is_flag=True, help="Check what git has staged, and nothing that is not.")
@click.option("--baseline", metavar="FILE", help="Leave out what this file holds.  [default: guardrails-baseline.json]")
@click.option("--no-baseline", is_flag=True, help="Tell what the baseline holds, too.")
@click.option("--stdin-filename", metavar="NAME", help="Check standard input as the content of this file.")
@click.option("--fix", is_flag=True, help="Repair what can be mended by machine; tell the rest.")
@click.option("--unsafe", is_flag=True, help="With --fix: repairs, too, that change what the code does.")
@click.option("--add-allow", metavar="REASON", help="Write an allow comment with this reason above each finding that is told.")
@click.option("--dry-run", is_flag=True, help="With --fix: show the changes and write nothing.")
@click.option("--no-cache", is_flag=True, help="Read every file anew.")
@click.option("--profile", is_flag=True, help="Say on stderr where the time went: each stage, each rule.")
def command(**given: Any) -> int:
    """Find unsafe worker code in PATHS (files or folders; the current folder if none is named).

    The project that they belong to is read whole, because settings and callers stand elsewhere; only what is wrong in PATHS is reported.
    """
    return check(msgspec.convert(given, Options))


def check(options: Options) -> int:
    """Runs the linter, reports, and returns the exit status."""
    wanted = outputs.asked(options.form, options.output)
    if options.statistics and not any(one.form in ("text", "json") for one in wanted):
        raise Mistake("--statistics counts in text and json only; add --output text:- to see the numbers, too")
    _require_sense(options)
    with Progress() as progress:
        try:
            request = _request(options, rulebook.load(), progress)
        except compared.Nothing:
            say("nothing is staged here, so there is nothing to check.")
            if options.form or options.output:
                _report(NOTHING, Path.cwd(), wanted, options, 0)
            return 0
        request = msgspec.structs.replace(request, survey=any(one.form == "html" for one in wanted))
        result = lint.lint(request)
    result = _changed(request, result, options)
    status = exit_status(result, options.fail_on or request.config.fail_on)
    if options.dry_run:
        return status
    _report(result, request.root, wanted, options, status)
    if options.profile:
        click.echo(timetable(request.clock.seconds), err=True)
    return status


def _require_sense(options: Options) -> None:
    """Files on disk are changed with --fix or --add-allow only, and only where they are what is looked at."""
    if not options.fix and (options.unsafe or options.dry_run):
        raise Mistake(f"{'--unsafe' if options.unsafe else '--dry-run'} belongs to --fix; add --fix")
    if options.fix and options.add_allow is not None:
        raise Mistake("--fix mends and --add-allow allows; give one of them, and the other in a second run")
    if options.add_allow is not None:
        allowing.reason_of(options.add_allow)
    writes = "--fix" if options.fix else "--add-allow" if options.add_allow is not None else ""
    if writes and options.stdin_filename is not None:
        raise Mistake(f"{writes} changes files on disk, and --stdin-filename reads none; name the file instead")
    if writes and not _looks_at_disk(options):
        where = "the index" if options.staged else "commits"
        raise Mistake(f"{writes} changes files on disk, and this run looks at {where}; leave one of them out")
    if writes and (link := next((path for path in options.paths if _is_behind_link(Path(path))), "")):
        raise Mistake(f"{writes} changes no file through a link, and {link} is one or lies behind one; name what it leads to")


def _looks_at_disk(options: Options) -> bool:
    """Not at the index, standard input or a commit."""
    return not (options.staged or options.stdin_filename is not None or ".." in (options.diff or ""))


def _is_behind_link(path: Path) -> bool:
    """A link, or, where the name starts here, something behind one."""
    return any(one.is_symlink() for one in ((path,) if path.is_absolute() else (path, *path.parents)))


def _changed(request: lint.Request, result: Result, options: Options) -> Result:
    """What remains once files were changed as the command line wants; only repairs need libcst."""
    if options.fix:
        from guardrails.cli import fixing

        return fixing.run(request, result, unsafe=options.unsafe, dry_run=options.dry_run)
    if options.add_allow is not None:
        return allowing.run(request, result, allowing.reason_of(options.add_allow))
    return result


def timetable(seconds: Mapping[str, float]) -> str:
    """The stages of a run with their seconds and shares, longest first."""
    whole = sum(seconds.values()) or 1.0
    rows = sorted(seconds.items(), key=lambda row: (-row[1], row[0]))
    return "\n".join(f"{spent:8.3f} s {spent / whole:6.1%}  {stage}" for stage, spent in (*rows, ("all", whole)))


def exit_status(result: Result, gate: Gate) -> int:
    """0, 1 for a finding at or above the gate, 2 where files were named and none could be read."""
    if not result.summary.files and result.unreadable:
        return MISTAKE
    if gate == "never":
        return 0
    return FINDINGS if any(SEVERITIES.index(found.severity) <= SEVERITIES.index(gate) for found in result.findings) else 0


def _request(options: Options, rules: Mapping[str, Rule], progress: Progress) -> lint.Request:
    prepared = _from_stdin(options) if _is_stdin(options) else from_paths(options.paths)
    changes = {"at_least": options.severity, "strict": options.strict, "cached": not options.no_cache, "watch": progress}
    changes |= compared.against(prepared, options.diff, options.baseline, staged=options.staged, fresh=options.no_baseline)
    return msgspec.structs.replace(prepared, config=_config(prepared.config, options, rules), **changes)


def _config(config: Config, options: Options, rules: Mapping[str, Rule]) -> Config:
    """The project's configuration with the command line's word over it."""
    select = names.listed(options.select, rules)
    ignore = names.listed(options.ignore, rules)
    if select and set(select) <= set(ignore):
        raise Mistake("every rule of --select is also ignored; nothing is left to run")
    return msgspec.structs.replace(
        config,
        select=select or config.select,
        ignore=tuple(name for name in config.ignore if name not in select) + ignore,
        confidence=options.confidence or config.confidence,
        pedantic=options.pedantic or config.pedantic,
        tests="report" if options.tests else config.tests,
    )


def from_paths(paths: Sequence[str]) -> lint.Request:
    """A request for paths as they were given; a mistake in them is said in a sentence."""
    try:
        request = lint.prepare([Path(path) for path in paths])
        return msgspec.structs.replace(request, more=reader(request.config))
    except OSError as error:
        raise Mistake(f"{error.filename or ' '.join(paths)}: {(error.strerror or 'it cannot be opened').lower()}") from None


def _is_stdin(options: Options) -> bool:
    if options.stdin_filename is None:
        if STDIN in options.paths:
            raise Mistake("to check standard input, say what file it is: --stdin-filename NAME")
        return False
    if options.paths not in ((), (STDIN,)):
        raise Mistake("--stdin-filename checks standard input only; name no other path than -")
    return True


def _from_stdin(options: Options) -> lint.Request:
    """The file need not exist; its project is that of the nearest folder that does."""
    name = options.stdin_filename or ""
    path = Path(os.path.abspath(name))  # noqa: PTH100  a link keeps its name
    if not name or path.is_dir():
        raise Mistake(f"--stdin-filename {shlex.quote(name)}: it is no name of a file; give the name that the content is to be judged by")
    folder = next(folder for folder in path.parents if folder.is_dir())
    prepared = from_paths([str(folder)])
    path = folder.resolve() / path.relative_to(folder)
    return msgspec.structs.replace(prepared, paths=(path,), contents={path.relative_to(prepared.root).as_posix(): _stdin()})


def _stdin() -> bytes:
    try:
        if sys.stdin is not None:
            return sys.stdin.buffer.read()
    except OSError as error:
        raise Mistake(f"standard input cannot be read: {(error.strerror or str(error)).lower()}") from None
    raise Mistake("standard input is closed; --stdin-filename needs the content of the file there")


def _report(result: Result, root: Path, wanted: Sequence[outputs.Output], options: Options, status: int) -> None:
    made = [(one, _rendered(one, here.moved(one.form, result, root), options, status)) for one in wanted]
    output.save_all([(text, one.path) for one, text in made if one.path is not None])
    for text in (text for one, text in made if one.path is None):
        output.emit(text, shown.color())
    if files := outputs.written(wanted):
        say(f"{verdict(result)} {files}")
    if not result.summary.files and result is not NOTHING:
        say(_nothing_read(result))


def _rendered(one: outputs.Output, result: Result, options: Options, status: int) -> str:
    """The report as it goes to its place: in colour and as wide as the terminal only there."""
    view = View(
        rules=rulebook.load(),
        color=one.form == "text" and one.path is None and shown.color(),
        columns=shown.columns() if one.path is None else shown.WIDEST,
        every=options.every,
        show_unknown=options.show_unknown,
        statistics=options.statistics,
        mends=not options.fix and _looks_at_disk(options),
        again=shlex.join(["guardrails", "check", *options.paths, *_since(options)]),
        status=status,
    )
    return report.render(one.form, result, view)


def _since(options: Options) -> list[str]:
    """What a second run compares with, too."""
    return [*(["--diff", options.diff] if options.diff is not None else []), *(["--staged"] if options.staged else [])]


def _nothing_read(result: Result) -> str:
    """Why nothing was looked at."""
    if result.unreadable:
        return "none of the files could be read."
    return passed_over(result.summary) or "no Python, TypeScript, JavaScript or Rust file was found there."
