"""Which lines of the head a change shows: only beside those does GitHub take a comment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from guardrails import git
from guardrails.paths import show

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_DIFF = (
    "diff", "--patch", "--unified=3", "--inter-hunk-context=0", "--find-renames", "--no-ext-diff", "--no-textconv", "--no-color",
    "--no-relative", "--submodule=short", "--ignore-submodules", "--diff-algorithm=myers", "--dst-prefix=b/",
    f"-O{os.devnull}",
)  # fmt: skip


class Changed(msgspec.Struct, frozen=True):
    """A file of a change as GitHub lists it. `patch` is None where there is none: a binary file, or one too large to be shown."""

    path: str
    status: str
    former: str = ""
    patch: str | None = None


class Shown(msgspec.Struct, frozen=True):
    """What a change shows of a file: its hunks as (first, last) line of the head, and the lines that it adds."""

    spans: tuple[tuple[int, int], ...] = ()
    added: frozenset[int] = frozenset()


class Hunks:
    """The files of a change, by the path that findings have; `former` gives the old path of a renamed one."""

    def __init__(self, files: Mapping[str, Shown], former: Mapping[str, str] | None = None) -> None:
        self._files: dict[str, Shown] = {}
        self._real: dict[str, str] = {}
        self._former = {show(path): show(old) for path, old in (former or {}).items()}
        for path, shown in files.items():
            if _is_text(path):
                self._files.setdefault(show(path), shown)
                self._real.setdefault(show(path), path)

    def __contains__(self, path: object) -> bool:
        return path in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def shown(self, path: str) -> Shown:
        """What is shown of a file, nothing of one that the change leaves alone."""
        return self._files.get(path, Shown())

    def hold(self, path: str, first: int, last: int) -> bool:
        """Whether these lines stand in one hunk."""
        return first <= last and any(start <= first and last <= end for start, end in self.shown(path).spans)

    def real(self, path: str) -> str:
        """The file's name as git has it: findings show one that cannot be printed with escapes."""
        return self._real.get(path, path)

    def former(self, path: str) -> str:
        """Where the file stood before the change."""
        return self._former.get(path, path)


def of(files: Iterable[Changed], local: Hunks | None = None) -> Hunks:
    """The hunks of what GitHub lists; of a file without a patch those that `local` knows."""
    shown, former = {}, {}
    for file in (file for file in files if file.status != "removed"):
        known = local.shown(show(file.path)) if local is not None else Shown()
        shown[file.path] = parse(file.patch) if file.patch is not None else known
        if file.former:
            former[file.path] = file.former
    return Hunks(shown, former)


def parse(patch: str) -> Shown:
    """The patch of one file, from its first `@@` on."""
    lines = iter(patch.split("\n"))
    return _collected(hunk for line in lines if (hunk := _hunk(line, lines)) is not None)


def from_git(root: Path, base: str, head: str) -> Hunks:
    """The hunks between the commit where `head` left `base`, and `head`. Raises `git.GitError`."""
    said = git.run(root, *_DIFF, git.merge_base(root, base, head), git.commit(root, head), "--")
    if said is None:
        raise git.GitError(
            f"git cannot compare {base} with {head}; if this is a partial clone, fetch it whole: git fetch --refetch --no-filter"
        )
    files: dict[str, Shown] = {}
    former: dict[str, str] = {}
    lines = iter(os.fsdecode(said).split("\n"))
    path, old, found = "", "", list[tuple[int, tuple[int, ...]]]()
    for line in lines:
        if line.startswith("diff --git "):
            path, old, found = "", "", []
        elif line.startswith("rename from "):
            old = _name(line[12:])
        elif line.startswith("rename to "):
            path = _name(line[10:])
            files[path], former[path] = Shown(), old
        elif line.startswith("+++ ") and line != "+++ /dev/null":
            path = _name(line[4:])[2:]
        elif path and (hunk := _hunk(line, lines)) is not None:
            found.append(hunk)
            files[path] = _collected(found)
    return Hunks(files, former)


def _collected(hunks: Iterable[tuple[int, tuple[int, ...]]]) -> Shown:
    spans, added = [], set[int]()
    for first, kinds in hunks:
        numbers = [number for number, kind in enumerate(kinds, first)]
        added.update(number for number, kind in zip(numbers, kinds, strict=True) if kind)
        spans += [(numbers[0], numbers[-1])] if numbers else []
    return Shown(tuple(spans), frozenset(added))


def _hunk(head: str, lines: Iterator[str]) -> tuple[int, tuple[int, ...]] | None:
    """The first line of a hunk in the head, and for each of its lines there whether it is added (1) or not; None for another line.

    Its lines are counted: one that is taken out may look like the head of a file.
    """
    match = _HUNK.match(head)
    if match is None:
        return None
    before, after = int(match[1] or 1), int(match[3] or 1)
    kinds: list[int] = []
    while before > 0 or after > 0:
        line = next(lines, None)
        if line is None:
            break
        sign = line[:1]
        if sign == "\\":
            continue
        before -= sign != "+"
        after -= sign != "-"
        if sign != "-":
            kinds.append(int(sign == "+"))
    return int(match[2]), tuple(kinds)


def _name(said: str) -> str:
    """A file's name, which git quotes where it holds what cannot be printed, and ends with a tab where it holds a space."""
    if not said.startswith('"'):
        return said.removesuffix("\t")
    quoted = os.fsencode(said.rstrip("\t"))[1:-1]
    return os.fsdecode(_ESCAPE.sub(_unescaped, quoted))


def _unescaped(found: re.Match[bytes]) -> bytes:
    what = found[1]
    return bytes([int(what, 8) & 0xFF]) if len(what) == 3 else _LETTERS.get(what, what)


def _is_text(path: str) -> bool:
    """Whether a request to GitHub can name it."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
