"""Finds the files of a project, and reads them.

The project is the folder of the nearest configuration, else the repository, else the nearest folder with a pyproject.toml: it is read
whole, because settings and callers stand elsewhere; the paths that a user names limit what is reported. Without any of these the named
paths are all. When only files are named, in a project above `NEAR_FILES`, their neighbourhood is read instead, and the tree is `partial`.
Links are never followed: what they point to is read under its own name, or lies outside.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from guardrails import git
from guardrails.paths import CONFIG_BYTES, folders_above, is_configured, lenient_matcher, read_plain, stays_inside
from guardrails.paths import is_aside as is_aside
from guardrails.paths import is_deployment as is_deployment
from guardrails.paths import is_instructions as is_instructions
from guardrails.paths import is_manifest as is_manifest
from guardrails.paths import is_test as is_test
from guardrails.paths import matcher as matcher
from guardrails.paths import show as show

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_Rules: TypeAlias = "tuple[tuple[str, GitIgnoreSpec], ...]"  # of .gitignore files, from the outermost: folder with /, patterns

MAX_BYTES = 2_000_000
LONGEST_LINE = 200_000  # bytes; what has a longer line was not written by people, and takes minutes to parse
DEEPEST = 20_000  # brackets in a row
MAX_DEPLOY_BYTES = 200_000
NEAR_FILES, NEAR_BYTES = 60, 600_000
KEPT_BYTES = 64_000_000  # of sources that stay in memory between two rounds of reading

SKIPPED_FOLDERS = frozenset(
    (
        ".git", ".hg", ".svn", ".jj", "node_modules", "bower_components", ".venv", "venv", ".tox", ".nox", ".direnv", ".pixi", ".eggs",
        "__pycache__", "__pypackages__", "site-packages", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".next", ".nuxt",
        ".svelte-kit", ".turbo", ".parcel-cache", ".terraform",
    )
)  # fmt: skip
_BUILDERS = ("package.json", "pyproject.toml", "setup.py")
BUILT_FOLDERS = {"target": ("Cargo.toml",), "dist": _BUILDERS, "build": _BUILDERS}  # by what stands beside them
_GENERATED = re.compile(rb"^[ \t]*(?:#|//|/?\*|\"\"\"|'''|;|--).*(?:@generated\b|DO NOT EDIT)", re.MULTILINE)
_BROWSER = re.compile(
    r"(?:^|/)(?:static|staticfiles|assets|vendor|vendors|third_party|dist|public|templates|pdfjs|htdocs|wwwroot)/.*\.(?:[cm]?js|jsx)$"
)
_SETTING_NAMES = re.compile(
    r"(?:^|/)(?:.*settings.*|.*conf(?:ig)?|.*celery.*|.*huey.*|.*broker.*|.*queues?|.*workers?|apps?|main|wsgi|asgi)\.\w+$"
)
_IMPORT = re.compile(rb"^\s*(?:from|import|export|use|mod)\s([^\n]+(?:\([^)]*\))?)", re.MULTILINE)
_WORD = re.compile(rb"[A-Za-z_][\w-]*", re.ASCII)


class Tree:
    """The files of a project: `paths` (of known languages) and `others` (deployment files, requirements), relative to `root`, with `/`,
    unprintable characters escaped. `scope` are those that are reported on, `named` those that the user named one by one.

    `passed_over` counts files that were not looked at, by reason (`over` has the reason of each); `unreadable` says why a file could not
    be opened; they grow while files are loaded. `partial`: there is more in the project than was looked at. `closed`: `contents` is all.
    `is_whole`: all, and from disk. `instructions` are files for agents that are reported on, `listing` is every file by its real path.
    """

    def __init__(
        self, root: Path, paths: Sequence[str], others: Sequence[str] = (), *, real: Mapping[str, str] | None = None,
        contents: Mapping[str, bytes] | None = None, scope: Collection[str] | None = None, named: Collection[str] = (),
        partial: bool = False, excluded: int = 0, closed: bool = False, instructions: Sequence[str] = (), listing: Collection[str] = (),
    ) -> None:  # fmt: skip
        self.root = root
        self.paths = tuple(paths)
        self.others = tuple(others)
        self.scope = frozenset(self.paths if scope is None else scope)
        self.named = frozenset(named)
        self.partial, self.is_whole = partial, not (partial or contents or closed)
        self.passed_over: dict[str, int] = {"excluded": excluded} if excluded else {}
        self.over: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}
        self.instructions = tuple(instructions)
        self.listing = frozenset(listing)
        self._real = real or {}
        self._given = contents or {}
        self._is_closed = closed
        self._kept: dict[str, bytes] = {}
        self._room = KEPT_BYTES
        self._links: dict[str, bool] = {}  # by folder: whether it is a link

    def load(self, path: str) -> bytes:
        """The bytes of a file; empty for one that is passed over or cannot be opened, which is then counted once. Never raises."""
        if path in self._kept:
            return self._kept[path]
        if path in self.over or path in self.unreadable:
            return b""
        if path not in self.named and path not in self.instructions and (why := by_path(path)):
            self._pass(path, why)
            return b""
        real = self._real.get(path, path)
        data = self._given[real] if real in self._given else b"" if self._is_closed else self._open(path)
        if data and (why := passed_over(path, data)):
            self._pass(path, why)
            data = b""
        if len(data) <= self._room:
            self._kept[path] = data
            self._room -= len(data)
        return data

    def peek(self, path: str) -> bytes:
        """The bytes of any file of the listing, be it hidden or generated; empty where it cannot be read. Nothing is counted."""
        if path in self._given or self._is_closed:
            return self._given.get(path, b"")
        if not stays_inside(path) or any(self._is_link(folder) for folder in folders_above(path)):
            return b""
        try:
            data = read_plain(self.root / path, CONFIG_BYTES)
        except OSError:
            return b""
        return data if isinstance(data, bytes) else b""

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder of this real path, as far as the project's folder goes; what git ignores counts."""
        return path in self.listing or (not self._is_closed and stays_inside(path) and os.path.lexists(self.root / path))

    def holding(self, contents: Mapping[str, bytes]) -> Tree:
        """The same files, some of them with other contents (by real path)."""
        other = copy(self)
        other._given = {**self._given, **contents}
        other._kept, other._room, other.is_whole = {}, KEPT_BYTES, False
        other.passed_over, other.over, other.unreadable = dict(self.passed_over), {}, {}
        return other

    def _is_link(self, folder: str) -> bool:
        if folder not in self._links:
            self._links[folder] = (self.root / folder).is_symlink()
        return self._links[folder]

    def _open(self, path: str) -> bytes:
        real = self._real.get(path, path)
        if not stays_inside(real) or any(self._is_link(folder) for folder in folders_above(real)):
            self._pass(path, "link")
            return b""
        try:
            data = read_plain(self.root / real, MAX_DEPLOY_BYTES if path in self.others else MAX_BYTES)
        except FileNotFoundError:  # git lists what was deleted but not committed
            return b""
        except OSError as error:
            self.unreadable[path] = (error.strerror or "it cannot be opened").lower()
            return b""
        if isinstance(data, str):
            self._pass(path, data)
            return b""
        return data

    def _pass(self, path: str, why: str) -> None:
        self.over[path] = why
        self.passed_over[why] = self.passed_over.get(why, 0) + 1


def memory(files: Mapping[str, str | bytes], suffixes: Collection[str], scope: Collection[str] | None = None) -> Tree:
    """A tree that exists in memory only: examples, an editor's buffer."""
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    paths = sorted(path for path in contents if _suffix(path) in suffixes)
    others = sorted(path for path in contents if path not in set(paths) and (is_deployment(path) or is_manifest(path)))
    told = sorted(path for path in contents if is_instructions(path) and (scope is None or path in scope))
    return Tree(Path("/"), paths, others, contents=contents, scope=scope, closed=True, instructions=told, listing=contents)


def by_path(path: str) -> str:
    """Why a file is not looked at for its path alone, "" for one that is: what browsers load, examples in documentation, tools' folders."""
    if _BROWSER.search(path):
        return "browser asset"
    if path.startswith(".") or "/." in path:
        return "hidden folder"
    return "documentation" if path.startswith(("docs/", "doc/")) and path.endswith(".py") else ""


def passed_over(path: str, data: bytes) -> str:
    """Why a file is not looked at, "" for one that is: too large, binary, generated, minified, nested beyond all code."""
    if len(data) > MAX_BYTES:
        return "too large"
    if b"\0" in data[:8192]:
        return "binary"
    head = data[:2048]
    if (b"@generated" in head or b"DO NOT EDIT" in head) and _GENERATED.search(b"\n".join(head.splitlines()[:10])):
        return "generated"
    if path.endswith((".js", ".mjs", ".cjs", ".jsx")) and (".min." in path or len(data) > 500 * max(1, data.count(b"\n"))):
        return "minified"
    if len(data) > LONGEST_LINE and max(map(len, data.split(b"\n"))) > LONGEST_LINE:
        return "minified"
    return "too deeply nested" if any(bracket * DEEPEST in data for bracket in (b"[", b"(", b"{")) else ""


def find_root(paths: Iterable[Path]) -> Path:
    """The root of the project that holds all of these existing paths: see the module's head. A folder, absolute and without links."""
    start = common_folder(paths)
    repository = pyproject = None
    for folder in (start, *start.parents):
        if is_configured(folder):
            return folder
        if (folder / ".git").exists():
            repository = folder
            break
        if pyproject is None and (folder / "pyproject.toml").is_file():
            pyproject = folder
    here = Path.cwd()
    return repository or pyproject or (here if start.is_relative_to(here) else start)


def common_folder(paths: Iterable[Path]) -> Path:
    """The deepest folder that holds all of these paths."""
    folders = [path if path.is_dir() else path.parent for path in (path.resolve() for path in paths)]
    return Path(os.path.commonpath(folders)) if folders else Path.cwd()


def _is_project(root: Path) -> bool:
    return any((root / name).exists() for name in (".git", "pyproject.toml", "guardrails.yaml"))


def discover(
    root: Path, paths: Sequence[Path], suffixes: Collection[str], exclude: Sequence[str] = (), contents: Mapping[str, bytes] | None = None,
    listing: Collection[str] | None = None,
) -> Tree:  # fmt: skip
    """The tree of a project, to be reported on below `paths` (existing; none: all of it).

    `suffixes` say which languages are read; `exclude` holds for named files, too; `contents` stands in for what is on disk, and
    `listing` for which files there are (paths relative to the root).
    """
    named = [os.path.relpath(path.resolve(), root).replace(os.sep, "/") for path in paths]
    files = {name for name, path in zip(named, paths, strict=True) if not path.is_dir()}
    folders = [name for name in named if name not in files]
    listed = set(_project(root, folders) if listing is None else listing) | files
    for folder in folders if listing is None else ():
        if folder != "." and not any(path.startswith(f"{folder}/") for path in listed):
            listed |= set(_walk(root, folder))  # an ignored folder that is named is meant
    listed |= set(contents or ())
    kept = _not_excluded(sorted(listed), exclude)
    real = _shown(kept)
    read = [shown for shown in real if _suffix(shown) in suffixes]
    code = set(read)
    others = [shown for shown in real if shown not in code and (is_deployment(real[shown]) or is_manifest(real[shown]))]
    scope = [shown for shown in read if not paths or _is_below(real[shown], files, folders)]
    near = _nearest(root, read, scope, real) if files and not folders else read
    told = [shown for shown in real if is_instructions(shown) and (not paths or _is_below(real[shown], files, folders))]
    return Tree(root, near, others, real=real, contents=contents, scope=scope, named=[shown for shown in scope if real[shown] in files],
                partial=len(near) < len(read), excluded=len(listed) - len(kept), closed=listing is not None,
                instructions=told, listing=listed)  # fmt: skip


def _is_below(path: str, files: Collection[str], folders: Sequence[str]) -> bool:
    return path in files or any(folder == "." or path.startswith(f"{folder}/") for folder in folders)


def _project(root: Path, folders: Sequence[str]) -> Iterator[str]:
    """Every file of the project; of a root that is none, what is below the named folders."""
    if _is_project(root):
        listed = _git_files(root)
        yield from listed if listed else _walk(root, ".")
        return
    for folder in folders:
        yield from _walk(root, folder)


def _git_files(root: Path) -> list[str]:
    """git's list: tracked and untracked, not ignored. Empty where git cannot say. Nothing that the repository configures is run."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    if top is None or not _is_same(
        top, (git.run(root, "rev-parse", "--show-toplevel") or b"").removesuffix(b"\n")
    ):  # core.worktree may lead elsewhere
        return []
    names = (os.fsdecode(name) for name in (git.run(root, "ls-files", "-co", "--exclude-standard", "-z") or b"").split(b"\0") if name)
    return [name for name in names if not name.endswith("/") and stays_inside(name)]


def _is_same(folder: Path, told: bytes) -> bool:
    try:
        return bool(told) and os.path.samefile(folder, os.fsdecode(told))  # noqa: PTH121  a name of bytes
    except (OSError, ValueError):
        return False


def _suffix(path: str) -> str:
    stem, dot, suffix = path.rpartition(".")
    return dot + suffix if stem and not stem.endswith("/") else ""


def _not_excluded(paths: list[str], exclude: Sequence[str]) -> list[str]:
    if not exclude:
        return paths
    spec = matcher(exclude)
    return [path for path in paths if not spec.match_file(path)]


def _walk(root: Path, start: str) -> Iterator[str]:
    """Files below a folder, in no order; .gitignore files from `start` down are honoured, and folders that tools make are skipped."""
    todo: list[tuple[str, _Rules]] = [("" if start == "." else start, ())]
    while todo:
        folder, rules = todo.pop()
        try:
            entries = list(os.scandir(root / folder))
        except OSError:
            continue
        names = {entry.name for entry in entries}
        if ".gitignore" in names:
            rules = (*rules, *_ignore_rules(root, folder))
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            if _is_ignored(path + "/" * is_folder, rules):
                continue
            if is_folder and not _is_made(entry.name, names):
                todo.append((path, rules))
            elif entry.is_file(follow_symlinks=False):
                yield path


def _ignore_rules(root: Path, folder: str) -> Iterator[tuple[str, GitIgnoreSpec]]:
    try:
        data = read_plain(root / folder / ".gitignore", CONFIG_BYTES)
    except OSError:
        return
    if isinstance(data, bytes):
        yield f"{folder}/" if folder else "", lenient_matcher(data.decode("utf-8", "replace").splitlines())


def _is_ignored(path: str, rules: _Rules) -> bool:
    """The last word of the innermost .gitignore that says anything about the path."""
    said = (spec.check_file(path[len(base) :]).include for base, spec in reversed(rules))
    return next((include for include in said if include is not None), False)


def _is_made(name: str, beside: Collection[str]) -> bool:
    if name in SKIPPED_FOLDERS or name.endswith((".dist-info", ".egg-info")) or (name in ("env", "virtualenv") and "pyvenv.cfg" in beside):
        return True
    return any(mark in beside for mark in BUILT_FOLDERS.get(name, ()))


def _shown(paths: Iterable[str]) -> dict[str, str]:
    """Shown path to real path; where an escape makes two names one, the second gets a mark, so that no file can hide another."""
    everything = list(paths)
    real = {path: path for path in everything if path.isprintable()}
    for path in (path for path in everything if not path.isprintable()):
        shown, stem = show(path), PurePosixPath(show(path))
        while shown in real:
            stem = stem.with_stem(stem.stem + "~")
            shown = str(stem)
        real[shown] = path
    return dict(sorted(real.items()))


def _nearest(root: Path, read: list[str], scope: list[str], real: Mapping[str, str]) -> list[str]:
    """The named files and, as far as they fit, what they import, what is close by, and settings, which decide from afar."""
    if len(read) <= NEAR_FILES:
        return read
    suffixes = {_suffix(path) for path in scope}
    chosen = set(scope)
    words = {word for path in scope[:20] for word in _imported(root / real[path])}
    steps = cache(lambda folder: min((_steps(folder, other) for other in scope[:20]), default=0))
    likely = (path for path in read if path not in chosen and _suffix(path) in suffixes and not is_test(path))
    near = sorted(likely, key=lambda path: _distance(path, steps, words))
    chosen |= _fitting(root, near, real, NEAR_FILES - len(chosen))
    chosen |= _fitting(root, [path for path in near if path not in chosen and _SETTING_NAMES.search(path)], real, NEAR_FILES)
    return [path for path in read if path in chosen]


def _fitting(root: Path, paths: Sequence[str], real: Mapping[str, str], room: int) -> set[str]:
    """The first of these files for which there is room."""
    chosen: set[str] = set()
    size = 0
    for path in paths:
        try:
            size += (root / real[path]).lstat().st_size
        except OSError:
            continue
        if size > NEAR_BYTES or len(chosen) >= room:
            break
        chosen.add(path)
    return chosen


def _imported(path: Path) -> set[str]:
    """The words of a file's import lines."""
    data = read_plain(path, MAX_BYTES) if path.is_file() else b""
    return {word.decode() for line in _IMPORT.findall(data if isinstance(data, bytes) else b"") for word in _WORD.findall(line)}


def _distance(path: str, steps: Callable[[str], int], words: Collection[str]) -> tuple[int, str]:
    """How far a file is from the nearest of the named ones, in folders; settings, and files that they import, count as near."""
    folder, slash, name = path.rpartition("/")
    stem = name.partition(".")[0]
    return steps(folder + slash) - 3 * (_SETTING_NAMES.search(path) is not None) - 5 * (stem in words), path


def _steps(path: str, other: str) -> int:
    mine, theirs = path.split("/")[:-1], other.split("/")[:-1]
    same = next((index for index, (a, b) in enumerate(zip(mine, theirs, strict=False)) if a != b), min(len(mine), len(theirs)))
    return len(mine) + len(theirs) - 2 * same
