"""`guardrails init`: instruction files for coding agents, written once and kept current, and taken away without a trace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from guardrails import lint
from guardrails.cli import outcome
from guardrails.cli.check import FINDINGS, from_paths
from guardrails.cli.outcome import AGENTS, Options, Plan
from guardrails.cli.program import Mistake
from guardrails.cli.progress import Progress
from guardrails.instruct import apply, found, json_
from guardrails.instruct.changes import Change
from guardrails.instruct.disk import Unwritten
from guardrails.instruct.found import Managed
from guardrails.instruct.json_ import Unfit
from guardrails.instruct.target import Target
from guardrails.inventory import Inventory
from guardrails.report.safe import visible
from guardrails.report.tally import count, listed

if TYPE_CHECKING:
    from guardrails.instruct.seen import Seen

HOMES = {".claude": "claude", ".github": "copilot", ".cursor": "cursor", ".codex": "codex", ".gemini": "gemini"}

EPILOG = """\b
Examples:
  guardrails init                          AGENTS.md, a skill, and what the clients in use read
  guardrails init --diff                   the same, as a diff; nothing is written
  guardrails init --agent cursor           files for Cursor, too
  guardrails init --agent claude --hooks   Claude Code lints each file that it edits
  guardrails init --ci github              a CI job, too; --pre-commit adds a hook for git
  guardrails init --check                  for CI: fails when a file is not current
  guardrails init --remove                 takes everything away again

\b
What is yours stays yours: outside of the blocks that guardrails marks as its own no byte changes,
a file without its marker is never overwritten, and what somebody changed by hand is replaced with
--force only, which keeps a copy. Either everything is written, or nothing.

\b
Exit status: 0 done, 1 refused or, with --check, not current, 2 usage or configuration error,
3 internal error, 130 interrupted.
"""


@click.command("init", short_help="Write instruction files for coding agents, and keep them current.", epilog=EPILOG)
@click.argument("path", required=False, metavar="[PROJECT]")
@click.option("--agent", multiple=True, type=click.Choice([*AGENTS, "all"]), help="Write the files of this client, too; may be repeated.")
@click.option("--hooks", is_flag=True, help="Let the clients lint each file that their agent edits.")
@click.option("--ci", multiple=True, type=click.Choice(["github", "gitlab"]), help="Write a CI job that runs the linter.")
@click.option("--pre-commit", is_flag=True, help="Add the linter to .pre-commit-config.yaml.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing.")
@click.option("--diff", is_flag=True, help="Show what would be done as a diff, and write nothing.")
@click.option("--check", is_flag=True, help="Exit with 1 when a file is not current, and write nothing.")
@click.option("--remove", is_flag=True, help="Take away all that init wrote, and restore what was there.")
@click.option("--force", is_flag=True, help="Replace what was changed by hand, too; the old file is kept as FILE.bak.")
@click.option("--no-cache", is_flag=True, help="Read every source file anew.")
def command(**given: Any) -> int:
    """Write instruction files for coding agents into PROJECT (the one you are in if none is named), and keep them current.

    They say how worker code is done in this project: where its jobs stand, which rules hold, which commands to run. By default that is a
    block in AGENTS.md, a skill in .agents/skills, and the files of those clients (Claude Code, Copilot, Cursor, Codex, Gemini) that have a
    folder in the project. Nothing is asked; run it again after any change, or after an upgrade.
    """
    return run(msgspec.convert(given, Options))


def run(options: Options) -> int:
    """Plans, writes or shows, tells, and returns the exit status."""
    _require_sense(options)
    plan = _removal(options) if options.remove else _plan(options)
    if options.writes and not plan.refused:
        try:
            apply.write(plan.root, plan.changes)
        except Unwritten as error:
            raise Mistake(str(error)) from None
    outcome.tell(plan, options)
    return FINDINGS if plan.refused or (options.check and any(change.is_stale for change in plan.changes)) else 0


def _require_sense(options: Options) -> None:
    if options.remove and options.wanted:
        raise Mistake(f"--remove takes everything away; leave {options.wanted[0]} out")
    if options.check and (options.remove or options.force):
        raise Mistake(f"--check writes nothing; leave {'--remove' if options.remove else '--force'} out")
    if options.path is not None and Path(options.path).is_file():
        raise Mistake(f"{options.path}: it is a file; name the folder of the project")


def _removal(options: Options) -> Plan:
    request = from_paths([options.path] if options.path else [])
    mine = found.managed(request.root, request.config.exclude)
    return Plan(request.root, tuple(_changes(request.root, (), mine, options)), "")


def _plan(options: Options) -> Plan:
    from guardrails.instruct import content, seen

    with Progress() as progress:
        request = from_paths([options.path] if options.path else [])
        whole = msgspec.structs.replace(request, paths=(), survey=True, checks=False, cached=not options.no_cache, watch=progress)
        result = lint.lint(whole)
        progress("looking at the project")
        looked = seen.look(request.root, result, request.config.exclude)
    targets = content.targets(looked, content.enabled(request.config, looked), options.agents, options.ci, options.pre_commit)
    mine = found.managed(request.root, request.config.exclude)
    entries = _hooks(options, mine, looked.clients)
    gone = [one for one in mine if (entries if one.kind == "json" else looked.found) and _is_gone(one, (*targets, *entries))]
    targets += entries if options.hooks else tuple(entry for entry in entries if not _is_elsewhere(request.root, entry))
    words = _words(result.inventory or Inventory(), looked, result.summary.files)
    apart = [Change(path, None, None, "left", why) for path, why in content.left_alone(looked, options.pre_commit)]
    changes = (*_changes(request.root, targets, gone, options), *apart)
    return Plan(request.root, changes, words, looked.command)


def _hooks(options: Options, mine: Sequence[Managed], used: frozenset[str]) -> tuple[Target, ...]:
    """The edit hooks that are asked for, and those that are there."""
    there = {HOMES[one.path.split("/")[0]] for one in mine if one.kind == "json" and one.path.split("/")[0] in HOMES}
    asked = frozenset(options.agents or used) if options.hooks else frozenset()
    if options.hooks and not asked | there:
        raise Mistake("--hooks needs a client, and none is in use here; add --agent claude, for example")
    if not asked | there:
        return ()
    from guardrails.instruct.hooks import hook_targets

    return tuple(hook_targets([name for name in AGENTS if name in asked | there]))


def _is_elsewhere(root: Path, entry: Target) -> bool:
    """Whether the hook of a client is current but for the place where somebody else has guardrails."""
    text = found.text_of(root, entry.path)
    try:
        return text is not None and json_.is_alike(text, entry.body)
    except Unfit:
        return False


def _is_gone(one: Managed, targets: Sequence[Target]) -> bool:
    """Whether something of ours is not wanted any more: at the root, or beside files that are. Elsewhere it may be another project's."""
    if any((target.path, target.kind) == (one.path, one.kind) and one.id in ("", target.id) for target in targets):
        return False
    if one.kind == "json":
        return one.path.split("/")[0] in HOMES
    beside = {target.path.rpartition("/")[0] for target in targets if target.kind == "file"}
    return "/" not in one.path if one.kind == "block" else one.path.rpartition("/")[0] in beside


def _changes(root: Path, targets: Sequence[Target], gone: Sequence[Managed], options: Options) -> list[Change]:
    try:
        return apply.plan(root, targets, gone=gone, force=options.force)
    except OSError as error:
        raise Mistake(f"{error.filename}: it cannot be read ({(error.strerror or 'error').lower()})") from None


def _words(inventory: Inventory, looked: Seen, files: int) -> str:
    """What was seen in the project, in a sentence."""
    where = f"in {count(files, 'file')}."
    if not looked.found:
        return f"No background jobs were found {where}"
    of = f" of {listed(visible(title) for title in looked.titles)}" if looked.titles else ""
    jobs, clocks = count(len(inventory.jobs), "job"), count(len(inventory.schedules), "schedule")
    spawns = f"{count(len(inventory.spawns), 'task or thread', 'tasks and threads')} beside the flow"
    parts = [
        f"{jobs}{of}" * bool(inventory.jobs),
        clocks * bool(inventory.schedules),
        spawns * (bool(inventory.spawns) and not inventory.jobs),
    ]
    return f"Seen: {listed(part for part in parts if part)} {where}"
