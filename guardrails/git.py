"""What git says of a project. Nothing that the repository configures is run: no hooks, filters, monitors or external diffs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

SECONDS = 120  # a git that takes longer hangs
LINK, MODULE = "120000", "160000"  # modes of symbolic links and submodules
INDEX = ":"  # the tree that the next commit will have
_SHA256 = 64  # digits of a name in a repository of that kind


class GitError(Exception):
    """git could not do what was asked; the message is one sentence with a remedy."""


def run(root: Path, *args: str, given: bytes = b"") -> bytes | None:
    """What git says on standard output; None where it fails or is not there."""
    import subprocess

    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    if index := os.environ.get("GIT_INDEX_FILE"):  # git gives its hooks the index of the commit that is being made
        environment["GIT_INDEX_FILE"] = str(Path(index).absolute())
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    environment["GIT_ALLOW_PROTOCOL"] = "none"  # older gits fetch missing blobs, by commands that the repository configures
    guard = ["-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.quotePath=false"]
    try:
        done = subprocess.run(
            ["git", *guard, *args], cwd=root, env=environment, capture_output=True, input=given, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def text(root: Path, *args: str) -> str:
    """One line that git says, empty where it fails."""
    return os.fsdecode((run(root, *args) or b"").strip())


def commit(root: Path, name: str) -> str:
    """The full name of a commit. Raises `GitError`."""
    if not text(root, "rev-parse", "--git-dir"):
        raise GitError(
            f"{root.name or 'this folder'} is not in a git repository (or git is not installed), so there is nothing to compare with"
        )
    found = "" if name.startswith("-") else text(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not found:
        shallow = "; this clone is shallow: in a workflow give actions/checkout `fetch-depth: 0`" if is_shallow(root) else ""
        raise GitError(f"there is no commit {name!r} here; check the name, or fetch it: git fetch origin {_branch(name)}{shallow}")
    return found


def is_unborn(root: Path) -> bool:
    """Whether the branch that is checked out has no commit yet."""
    return bool(text(root, "symbolic-ref", "--quiet", "HEAD")) and not text(root, "rev-parse", "--verify", "--quiet", "HEAD")


def empty_tree(root: Path) -> str:
    """git's name of the tree without files: what a first commit is compared with."""
    return text(root, "hash-object", "-t", "tree", "--stdin")


def merge_base(root: Path, base: str, head: str) -> str:
    """The commit from which `head` left `base`. Raises `GitError`."""
    one, other = commit(root, base), commit(root, head)
    found = text(root, "merge-base", one, other)
    if found:
        return found
    if is_shallow(root):
        raise GitError(
            f"this clone is too shallow to know where the change left {base!r}; "
            "run git fetch --unshallow, or in a workflow give actions/checkout `fetch-depth: 0`"
        )
    raise GitError(f"{head!r} and {base!r} have no commit in common; name the branch that the change is meant for")


def is_shallow(root: Path) -> bool:
    """Whether older commits are missing here."""
    return text(root, "rev-parse", "--is-shallow-repository") == "true"


def files(root: Path, tree: str) -> dict[str, str]:
    """The plain files of a commit, or of the `INDEX`: names of blobs by path below the root. No links, no submodules. Raises `GitError`."""
    args = ("ls-files", "-s", "-z") if tree == INDEX else ("ls-tree", "-r", "-z", tree)
    said = run(root, *args)
    if said is None:
        raise GitError(f"git cannot list the files of {'the index' if tree == INDEX else tree}; run git fsck to see why")
    return dict(_blobs(said))


def _blobs(said: bytes) -> Iterator[tuple[str, str]]:
    """Path and blob of each line: `mode blob stage` of the index, `mode kind blob` of a commit."""
    for line in filter(None, said.split(b"\0")):
        head, _, path = line.partition(b"\t")
        mode, *rest = os.fsdecode(head).split()
        if mode not in (LINK, MODULE):
            yield os.fsdecode(path), rest[1] if rest[0] == "blob" else rest[0]


def changed(root: Path, old: str, new: str) -> tuple[dict[str, str], dict[str, str]]:
    """What differs between a tree and another (or the `INDEX`): (status letter by path, old path by new path of renames).

    What is on disk is never compared: git would run the filters that the repository configures. Raises `GitError`.
    """
    trees = ["--cached", old] if new == INDEX else [old, new]
    said = run(
        root, "diff", "--name-status", "-z", "-M", "--no-ext-diff", "--no-textconv", "--ignore-submodules", "--relative", *trees, "--"
    )
    if said is None:
        raise GitError(f"git cannot compare with {old[:12]}; if this is a partial clone, fetch it whole: git fetch --refetch --no-filter")
    words = iter(os.fsdecode(said).split("\0"))
    status: dict[str, str] = {}
    renames: dict[str, str] = {}
    for letter in words:
        if letter[:1] in ("R", "C"):
            before, after = next(words), next(words)
            status[after] = letter[0]
            if letter[0] == "R":
                renames[after] = before
                status[before] = "D"
        elif letter:
            status[next(words)] = letter[0]
    return status, renames


class Contents(Mapping[str, bytes]):
    """The bytes of a tree's files by path (`blobs`: git's names of them).

    They are read when one of them is asked for: those that `foresee` named all at once. `GitError` where git cannot give one.
    """

    def __init__(self, root: Path, blobs: Mapping[str, str]) -> None:
        self._root, self.blobs = root, blobs
        self._read: dict[str, bytes] = {}
        self._foreseen = frozenset(blobs)

    def foresee(self, paths: Iterable[str]) -> None:
        """These and no others are likely to be asked for."""
        self._foreseen = frozenset(paths) & self.blobs.keys()

    def __getitem__(self, path: str) -> bytes:
        if path not in self._read:
            self._load(sorted({path, *self._foreseen} - self._read.keys()))
        return self._read[path]

    def __contains__(self, path: object) -> bool:
        return path in self.blobs

    def __iter__(self) -> Iterator[str]:
        return iter(self.blobs)

    def __len__(self) -> int:
        return len(self.blobs)

    def _load(self, paths: list[str]) -> None:
        """`git cat-file --batch` gives: name, kind, size, a line end, the bytes, a line end."""
        said = run(self._root, "cat-file", "--batch", given="".join(f"{self.blobs[path]}\n" for path in paths).encode()) or b""
        at = 0
        for path in paths:
            end = said.find(b"\n", at)
            head = said[at:end].split()
            size = int(head[2]) if end >= 0 and len(head) == 3 else -1
            if size < 0:
                raise GitError(
                    f"git cannot give the content of {path}; if this is a partial clone, fetch it whole: git fetch --refetch --no-filter"
                )
            self._read[path] = said[end + 1 : end + 1 + size]
            at = end + 2 + size


def name_of(data: bytes, like: str) -> str:
    """git's name for bytes, by the kind of name that another has."""
    made = hashlib.sha256 if len(like) == _SHA256 else hashlib.sha1
    return made(b"blob %d\0" % len(data) + data).hexdigest()


def _branch(name: str) -> str:
    return name.removeprefix("origin/").partition("~")[0].partition("^")[0]
