"""A change: the project as it is, beside the project from which the change started, both whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from guardrails import git
from guardrails.files import Tree, discover, memory

HEAD = "HEAD"


class Before(msgspec.Struct, frozen=True):
    """The tree from which a change started. `name` tells it; `renames` gives a file's path now by that of then.

    `edited` are the paths of now whose content is not what it was; `gone` those of then that are no more.
    """

    name: str
    tree: Tree
    renames: Mapping[str, str]
    edited: frozenset[str]
    gone: frozenset[str]


class Named(msgspec.Struct, frozen=True):
    """What `--diff` names: the base, and the head where it is a commit; else the head is what is on disk or staged."""

    base: str
    head: str = ""
    exact: bool = False

    @classmethod
    def of(cls, text: str) -> Named:
        """`BASE`, `BASE...HEAD` (from where HEAD left BASE) or `BASE..HEAD` (from BASE itself)."""
        for mark in ("...", ".."):
            base, found, head = text.partition(mark)
            if found:
                return cls(base or HEAD, head or HEAD, mark == "..")
        return cls(text)


class Blobs(msgspec.Struct, frozen=True):
    """The files of a commit or of the index, with their bytes."""

    names: Mapping[str, str]
    contents: git.Contents

    @classmethod
    def of(cls, root: Path, tree: str) -> Blobs:
        """Raises `GitError`."""
        names = {blob.path: blob.name for blob in git.files(root, tree)}
        return cls(names, git.Contents(root, names))


def staged(root: Path) -> tuple[str, ...]:
    """The files that the next commit changes or adds, relative to the root. Raises `GitError`."""
    old = git.text(root, "rev-parse", "--verify", "--quiet", HEAD) or git.empty_tree(root)
    status, _ = git.changed(root, old, git.INDEX)
    return tuple(sorted(path for path, letter in status.items() if letter != "D"))


def before(root: Path, named: Named, now: Tree, suffixes: Collection[str], exclude: Collection[str]) -> Before:
    """The tree from which the change to `now` started. Raises `GitError`."""
    base = git.commit(root, named.base) if named.exact else git.merge_base(root, named.base, named.head or HEAD)
    _, moved = git.changed(root, base, named.head or git.INDEX)
    then = Blobs.of(root, base)
    tree = discover(root, (), suffixes, tuple(exclude), _Then(then, now), then.names)
    renames = {old: new for new, old in moved.items()}
    return _before(f"{named.base} ({base[:10]})", tree, now, renames)


def before_texts(files: Mapping[str, str | bytes], now: Tree, suffixes: Collection[str]) -> Before:
    """The tree from which a change in memory started."""
    return _before("the base", memory(files, suffixes), now, {})


def touched(change: Before, now: Tree, path: str) -> frozenset[int]:
    """The lines of a file, counted from 1, that its old form does not hold. For ranking only."""
    if path not in change.edited:
        return frozenset()
    then = next((old for old, new in change.renames.items() if new == path), path)
    old = frozenset(change.tree.load(then).splitlines())
    return frozenset(number for number, line in enumerate(now.load(path).splitlines(), 1) if line not in old)


def _before(name: str, tree: Tree, now: Tree, renames: Mapping[str, str]) -> Before:
    mine, theirs = {*now.paths, *now.others}, {*tree.paths, *tree.others}
    then = {new: old for old, new in renames.items()}
    edited = frozenset(path for path in mine if then.get(path, path) not in theirs or now.load(path) != tree.load(then.get(path, path)))
    return Before(name, tree, renames, edited, frozenset(theirs - mine - renames.keys()))


class _Then(Mapping[str, bytes]):
    """The bytes of the base: from git where they differ from what is there now, else from where those come from."""

    def __init__(self, blobs: Blobs, now: Tree) -> None:
        self._blobs, self._now = blobs, now
        there = blobs.names.keys() & {*now.paths, *now.others}
        self._same = {path for path in there if git.name_of(now.load(path), blobs.names[path]) == blobs.names[path]}
        blobs.contents.foresee(blobs.names.keys() - self._same)

    def __getitem__(self, path: str) -> bytes:
        return self._now.load(path) if path in self._same else self._blobs.contents[path]

    def __contains__(self, path: object) -> bool:
        return path in self._blobs.names

    def __iter__(self) -> Iterator[str]:
        return iter(self._blobs.names)

    def __len__(self) -> int:
        return len(self._blobs.names)
