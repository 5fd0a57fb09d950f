"""What `guardrails init` was asked, and how it ends: what was written, what was left alone and why, and the next command."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Literal

import msgspec

from guardrails.cli import differences, output, shown
from guardrails.cli.program import say
from guardrails.instruct.changes import EDITED, LINK, WRITTEN, Change
from guardrails.report.ink import Ink
from guardrails.report.safe import visible
from guardrails.report.tally import count

AGENTS = ("claude", "copilot", "cursor", "codex", "gemini")
MOST_NAMED = 4  # files of a folder that are named one by one
_STYLES = {"refused": "error", "left alone": "warning"}


class Options(msgspec.Struct, frozen=True):
    """The command line, as it was given."""

    path: str | None
    agent: tuple[str, ...]
    hooks: bool
    ci: tuple[Literal["github", "gitlab"], ...]
    pre_commit: bool
    dry_run: bool
    diff: bool
    check: bool
    remove: bool
    force: bool
    no_cache: bool

    @property
    def agents(self) -> tuple[str, ...]:
        """The clients that are asked for, by name."""
        return AGENTS if "all" in self.agent else tuple(dict.fromkeys(self.agent))

    @property
    def wanted(self) -> list[str]:
        """The options that say what shall be written."""
        words = [f"--agent {name}" for name in dict.fromkeys(self.agent)] + ["--hooks"] * self.hooks
        return words + [f"--ci {name}" for name in dict.fromkeys(self.ci)] + ["--pre-commit"] * self.pre_commit

    @property
    def writes(self) -> bool:
        """Whether files may change."""
        return not (self.dry_run or self.diff or self.check)


class Plan(msgspec.Struct, frozen=True):
    """What is to be done in a project; `words` say what was seen in it, `command` how guardrails is called there."""

    root: Path
    changes: tuple[Change, ...]
    words: str
    command: str = "guardrails"

    @property
    def refused(self) -> list[Change]:
        """Reasons to write nothing at all."""
        return [change for change in self.changes if change.state == "refused"]


def tell(plan: Plan, options: Options) -> None:
    """What was done or would be, what was left alone and why, and the next command; on stderr where the output is a diff."""
    color = shown.color()
    told = [change for change in plan.changes if (change.is_stale if options.diff else change.why == EDITED)]
    output.emit("".join(differences.unified(change.path, change.before, change.after, color) for change in told), color)
    lines = [*([plan.words] if plan.words else []), *_lines(plan, options, Ink(color and not options.diff)), *_end(plan, options)]
    if not options.diff:
        output.emit("\n".join(lines) + "\n", color)
        return
    for line in lines:
        say(line)


def _lines(plan: Plan, options: Options, ink: Ink) -> list[str]:
    """What becomes of the files, a line each or a line for many alike; those that are as they should be aside."""
    told = [one for one in plan.changes if one.state in ("left", "refused") or (one.state in WRITTEN and not plan.refused)]
    groups: dict[tuple[str, str, str], list[str]] = {}
    for change in told:
        alike = change.path.rpartition("/")[0] if change.state in WRITTEN else change.why.removesuffix(LINK)
        groups.setdefault((_word(change, options), alike or change.path, _why(plan.root, change)), []).append(_name(plan.root, change.path))
    lines = []
    for (word, _, why), names in groups.items():
        named = names if len(names) <= MOST_NAMED else [f"{os.path.commonpath(names)}/ ({count(len(names), 'file')})"]
        lines += [f"{ink(f'{word:10}', _STYLES.get(word, 'good'))} {visible(name)}{why}" for name in named]
    return lines


def _word(change: Change, options: Options) -> str:
    if change.state == "left":
        return "left alone"
    done = "restored" if change.state == "removed" and change.after is not None else change.state
    words = {"written": "to write", "updated": "to update", "removed": "to remove", "restored": "to restore"}
    return done if options.writes else words.get(done, done)


def _why(root: Path, change: Change) -> str:
    if change.why:
        return f": {visible(change.why)}"
    return f" (the old one is {visible(_name(root, change.backup))})" if change.backup else ""


def _name(root: Path, path: str) -> str:
    """A path as it leads there from here."""
    here = Path.cwd().resolve()
    return os.path.relpath(root / path, here).replace(os.sep, "/") if here.is_relative_to(root) or root.is_relative_to(here) else path


def _end(plan: Plan, options: Options) -> list[str]:
    """The sum, and the next command."""
    again = " ".join(["guardrails", "init", *([shlex.quote(options.path)] if options.path else []), *options.wanted])
    if plan.refused:
        return _refused(plan, again + " --remove" * options.remove)
    stale = [change for change in plan.changes if change.state in WRITTEN]
    left = [change for change in plan.changes if change.state == "left"]
    apart = f" {count(len(left), 'file')} left alone." if left else ""
    if options.remove:
        return _removed(len(stale), apart, again, options)
    if not plan.changes:
        return ["Nothing was written; --agent NAME writes the files of a client all the same.", f"Next: {plan.command} jobs-map"]
    if not stale:
        return [f"{count(len(plan.changes) - len(left), 'file')} current.{apart}", f"Next: {plan.command} check"]
    if not options.writes:
        return [f"{count(len(stale), 'file')} to write.{apart}", f"Next: {again}"]
    hook = " A client asks once whether its hook may run." if any(change.path.endswith(".json") for change in stale) else ""
    return [f"{count(len(stale), 'file')} written.{apart}{hook} Read them, and commit them.", f"Next: {plan.command} check"]


def _removed(files: int, apart: str, again: str, options: Options) -> list[str]:
    if not files:
        return [f"Nothing of guardrails stands here.{apart}", f"Next: {again}"]
    if options.writes:
        return [f"{count(files, 'file')} as before guardrails.{apart}", f"Next: {again} (to have them again)"]
    return [f"{count(files, 'file')} to remove or restore.{apart}", f"Next: {again} --remove"]


def _refused(plan: Plan, again: str) -> list[str]:
    """Nothing was written; what to do about it."""
    if all(change.why == EDITED for change in plan.refused):
        return ["Nothing was written; --force keeps a copy of what was changed by hand.", f"Next: {again} --force"]
    return ["Nothing was written; mend what was refused first.", f"Next: {again}"]
