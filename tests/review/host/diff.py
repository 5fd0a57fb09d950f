"""What GitHub knows of a change, from a real git repository: files, patches, which lines can be commented on, where lines went."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

HEADER = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "C": "copied", "T": "changed"}
PLAIN = (
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--ignore-submodules=none",
    "--submodule=short",
)
QUIET = {"LC_ALL": "C", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
BYTES, LINES = 500_000, 20_000  # GitHub leaves out the patch of a file with more


def git(repo: Path, *args: str) -> bytes:
    """What git says; fails loudly."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *args]
    done = subprocess.run(command, cwd=repo, env=environment | QUIET, capture_output=True)
    if done.returncode != 0:
        raise LookupError(f"git {' '.join(args)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def commit(repo: Path, name: str) -> str:
    """The full name of a commit; `LookupError` where there is none."""
    if re.fullmatch("[0-9a-f]{40}", name):
        return _known(repo, name)
    return git(repo, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").decode().strip()


@lru_cache(maxsize=1024)
def _known(repo: Path, name: str) -> str:
    return git(repo, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").decode().strip()


@lru_cache(maxsize=1024)
def merge_base(repo: Path, one: str, other: str) -> str:
    """Where two commits parted."""
    return git(repo, "merge-base", one, other).decode().strip()


@lru_cache(maxsize=1024)
def belongs(repo: Path, sha: str, base: str, head: str) -> bool:
    """Whether a commit is one of those of the change."""
    try:
        return sha in git(repo, "rev-list", head, f"^{base}").decode().split()
    except LookupError:
        return False


@dataclass(frozen=True)
class Row:
    """A line of a patch; `position` counts from the first hunk header, as GitHub does."""

    position: int
    hunk: int
    left: int | None
    right: int | None
    text: str


@dataclass(frozen=True)
class Change:
    """A file of a change."""

    path: str
    old: str
    status: str
    sha: str
    additions: int
    deletions: int
    binary: bool
    patch: str | None
    whole: str = field(repr=False, default="")
    rows: tuple[Row, ...] = field(repr=False, default=())

    def at(self, line: int, side: str) -> Row | None:
        """The row of a line of the old file (LEFT) or the new one (RIGHT)."""
        return next((row for row in self.rows if (row.left if side == "LEFT" else row.right) == line), None)

    def excerpt(self, row: Row) -> str:
        """The hunk from its header to a row: what GitHub shows above a comment."""
        return "\n".join(one.text for one in self.rows if one.hunk == row.hunk and one.position <= row.position)


@lru_cache(maxsize=256)
def changes(repo: Path, base: str, head: str, *more: str) -> tuple[Change, ...]:
    """The files that differ between two commits, renames found, in git's order; `more` options of git."""
    args = ("diff-tree", "-r", "-M", "-z", "--raw", "--no-abbrev", *PLAIN, *more, base, head)
    words = git(repo, *args).decode(errors="surrogateescape").split("\0")
    whole = git(repo, "diff-tree", "-r", "-M", "-p", "--full-index", "-U3", *PLAIN, *more, base, head).decode(errors="replace")
    sections = ["diff --git " + one for one in re.split(r"^diff --git ", whole, flags=re.M)[1:]]
    made, at = [], 0
    for letter, sha, old, new in _raw(words):
        count = 2 if letter == "T" else 1
        made.append(_change(letter, sha, old, new, "".join(sections[at : at + count])))
        at += count
    assert at == len(sections), "patches and files do not match"
    return tuple(made)


def _raw(words: list[str]) -> list[tuple[str, str, str, str]]:
    """Letter, blob, old and new path of every entry of `--raw -z`."""
    made, rest = [], iter(words)
    for word in rest:
        if not word.startswith(":"):
            continue
        *_, before, after, letter = word.split()
        old = next(rest)
        new = next(rest) if letter[0] in "RC" else old
        made.append((letter[0], before if letter == "D" else after, old, new))
    return made


def _change(letter: str, sha: str, old: str, new: str, section: str) -> Change:
    lines = section.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    first = next((at for at, line in enumerate(lines) if line.startswith("@@ ")), None)
    body = lines[first:] if first is not None else []
    binary = first is None and any(line.startswith("Binary files ") for line in lines)
    text = "\n".join(body)
    rows = tuple(_rows(body))
    added = sum(row.left is None and row.right is not None for row in rows)
    removed = sum(row.right is None and row.left is not None for row in rows)
    small = bool(body) and len(text) <= BYTES and len(body) <= LINES
    return Change(new, old, STATUS[letter], sha, added, removed, binary, text if small else None, section, rows)


def _rows(body: list[str]) -> list[Row]:
    made: list[Row] = []
    hunk, left, right = -1, 0, 0
    for position, text in enumerate(body):
        if header := HEADER.match(text):
            hunk, left, right = hunk + 1, int(header[1]), int(header[3])
            made.append(Row(position, hunk, None, None, text))
        elif text[:1] in ("+", "-", " "):
            made.append(Row(position, hunk, left if text[0] != "+" else None, right if text[0] != "-" else None, text))
            left, right = left + (text[0] != "+"), right + (text[0] != "-")
        else:
            made.append(Row(position, hunk, None, None, text))
    return made


def moved(repo: Path, old: str, new: str, path: str, line: int) -> int | None:
    """Where a line of a file went between two commits; None where it was changed or is gone."""
    if old == new:
        return line
    change = next((one for one in changes(repo, old, new, "-U0", "--no-renames") if one.path == path), None)
    if change is None:
        return line
    if change.status == "removed" or change.binary:
        return None
    shift = 0
    for row in change.rows:
        if not (header := HEADER.match(row.text)) or row.left or row.right:
            continue
        start, gone, came = int(header[1]), int(header[2] or 1), int(header[4] or 1)
        if start + (gone == 0) > line:
            break
        if start <= line < start + gone:
            return None
        shift += came - gone
    return line + shift
