"""A change: the project as it is, beside the project from which the change started, both whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from guardrails import git
from guardrails.files import Tree, discover, memory

HEAD = "HEAD"


class Before(msgspec.Struct, frozen=True):
    """The tree from which a change started. `name` tells it; `renames` gives a file's path now by that of then, `former` the reverse.

    `edited` are the paths of now whose content is not what it was; `gone` those of then that are no more.
    """

    name: str
    tree: Tree
    renames: Mapping[str, str]
    former: Mapping[str, str]
    edited: frozenset[str]
    gone: frozenset[str]

    def then(self, path: str) -> str:
        """Where a file of now stood."""
        return self.former.get(path, path)

    def now(self, path: str) -> str:
        """Where a file of then stands."""
        return self.renames.get(path, path)


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


def staged(root: Path) -> tuple[str, ...]:
    """The files that the next commit changes or adds, relative to the root. Raises `GitError`."""
    old = git.text(root, "rev-parse", "--verify", "--quiet", HEAD) or git.empty_tree(root)
    status, _ = git.changed(root, old, git.INDEX)
    return tuple(sorted(path for path, letter in status.items() if letter != "D"))


def before(root: Path, named: Named, now: Tree, suffixes: Collection[str], exclude: Collection[str]) -> Before:
    """The tree from which the change to `now` started. Raises `GitError`."""
    base = _base(root, named)
    _, former = git.changed(root, base, named.head or git.INDEX)
    blobs = git.files(root, base)
    tree = discover(root, (), suffixes, tuple(exclude), _Then(git.Contents(root, blobs), now), blobs)
    return _before(f"{named.base} ({base[:10]})", tree, now, former)


def _base(root: Path, named: Named) -> str:
    """The commit from which the change started; that of a first commit is the tree without files. Raises `GitError`."""
    if named.base == HEAD and not named.head and git.is_unborn(root):
        return git.empty_tree(root)
    return git.commit(root, named.base) if named.exact else git.merge_base(root, named.base, named.head or HEAD)


def before_texts(files: Mapping[str, str | bytes], now: Tree, suffixes: Collection[str]) -> Before:
    """The tree from which a change in memory started."""
    return _before("the base", memory(files, suffixes), now, {})


def touched(change: Before, now: Tree, path: str) -> frozenset[int]:
    """The lines of a file, counted from 1, that its old form does not hold. For ranking only."""
    if path not in change.edited:
        return frozenset()
    old = frozenset(change.tree.load(change.then(path)).splitlines())
    return frozenset(number for number, line in enumerate(now.load(path).splitlines(), 1) if line not in old)


def _before(name: str, tree: Tree, now: Tree, former: Mapping[str, str]) -> Before:
    mine, theirs = {*now.paths, *now.others}, {*tree.paths, *tree.others}
    renames = {old: new for new, old in former.items()}
    pairs = ((path, former.get(path, path)) for path in mine)
    edited = frozenset(path for path, then in pairs if then not in theirs or now.load(path) != tree.load(then))
    return Before(name, tree, renames, former, edited, frozenset(theirs - mine - renames.keys()))


class _Then(Mapping[str, bytes]):
    """The bytes of the base: from git where they differ from what is there now, else from where those come from."""

    def __init__(self, then: git.Contents, now: Tree) -> None:
        self._then, self._now = then, now
        there = then.keys() & {*now.paths, *now.others}
        self._same = {path for path in there if git.name_of(now.load(path), then.blobs[path]) == then.blobs[path]}
        then.foresee(then.keys() - self._same)

    def __getitem__(self, path: str) -> bytes:
        return self._now.load(path) if path in self._same else self._then[path]

    def __contains__(self, path: object) -> bool:
        return path in self._then

    def __iter__(self) -> Iterator[str]:
        return iter(self._then)

    def __len__(self) -> int:
        return len(self._then)
