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
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, TypeAlias

from guardrails import git
from guardrails.paths import CONFIG_BYTES, folders_above, is_configured, lenient_matcher, read_plain, stays_inside
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
_SCRIPTS = frozenset({"bin", "scripts", "docker", "deploy"})
_DEPLOYED = frozenset({"deploy", "k8s", "kubernetes", "helm", "charts", "ops", "infra", "docker"})
_DEPLOYMENT = re.compile(r"Procfile.*|(?:docker-)?compose.*\.ya?ml|Dockerfile.*|.*\.Dockerfile|.*\.service|supervisord.*\.conf")
_MANIFEST = re.compile(r"(?:^|/)(?:pyproject\.toml|setup\.cfg|Pipfile|(?:[\w.-]*requirements[\w.-]*|requirements/[\w.-]+)\.(?:txt|in))$")
_SETTING_NAMES = re.compile(
    r"(?:^|/)(?:.*settings.*|.*conf(?:ig)?|.*celery.*|.*huey.*|.*broker.*|.*queues?|.*workers?|apps?|main|wsgi|asgi)\.\w+$"
)
_IMPORT = re.compile(rb"^\s*(?:from|import|export|use|mod)\s([^\n]+(?:\([^)]*\))?)", re.MULTILINE)
_WORD = re.compile(rb"[A-Za-z_][\w-]*", re.ASCII)
_TEST_FOLDER = re.compile(r"t|_?tests?|__tests__|spec|_test_\w+|\w+_tests|examples?|demos?|example_\w+")
_TEST_NAME = re.compile(r"(?:test_[^/]*|[^/]*_test|conftest|tests)\.pyi?|[^/]*\.(?:test|spec)\.[cm]?[jt]sx?")
_ASIDE = re.compile(r"(?:^|/)(?:(?:scripts?|bin|tools?|cli|cmd|commands|demos?)/|(?:cli|\w*demo\w*)\.py$)")
# What builds and serves while somebody develops.
_TOOL_NAME = re.compile(r"(?:webpack|vite|vitest|rollup|jest|babel|eslint|playwright|cypress|gulp)[\w.-]*\.(?:config|dev)\.[cm]?[jt]s")


class Tree:
    """The files of a project: `paths` (of known languages) and `others` (deployment files, requirements), relative to `root`, with `/`,
    unprintable characters escaped. `scope` are those that are reported on, `named` those that the user named one by one.

    `passed_over` counts files that were not looked at, by reason (`over` has the reason of each); `unreadable` says why a file could not
    be opened; they grow while files are loaded. `partial`: there is more in the project than was looked at. `closed`: `contents` is all.
    """

    def __init__(
        self, root: Path, paths: Sequence[str], others: Sequence[str] = (), *, real: Mapping[str, str] | None = None,
        contents: Mapping[str, bytes] | None = None, scope: Collection[str] | None = None, named: Collection[str] = (),
        partial: bool = False, excluded: int = 0, closed: bool = False,
    ) -> None:  # fmt: skip
        self.root = root
        self.paths = tuple(paths)
        self.others = tuple(others)
        self.scope = frozenset(self.paths if scope is None else scope)
        self.named = frozenset(named)
        self.partial = partial
        self.passed_over: dict[str, int] = {"excluded": excluded} if excluded else {}
        self.over: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}
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
        if path not in self.named and (why := by_path(path)):
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
    return Tree(Path("/"), paths, others, contents=contents, scope=scope, closed=True)


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


def is_test(path: str) -> bool:
    """Whether a file belongs to tests, examples or the tools of development, by its path relative to the root."""
    *folders, name = path.split("/")
    named = _TEST_NAME.fullmatch(name) or _TOOL_NAME.fullmatch(name)
    return named is not None or any(_TEST_FOLDER.fullmatch(folder) for folder in folders)


def is_aside(path: str) -> bool:
    """Whether a file is for the hand or for show: a script, a tool, a command line, a demo; by its path relative to the root."""
    return _ASIDE.search(path) is not None


def is_deployment(path: str) -> bool:
    """Whether a file may hold the command line of a worker, by its path relative to the root."""
    *folders, name = path.split("/")
    if _DEPLOYMENT.fullmatch(name):
        return True
    if name.endswith(".sh"):
        return not _SCRIPTS.isdisjoint(folders)
    return name.endswith((".yml", ".yaml")) and not _DEPLOYED.isdisjoint(folders)


def is_manifest(path: str) -> bool:
    """Whether a file says which versions of packages a project needs, by its path relative to the root."""
    return _MANIFEST.search(path) is not None


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
    others = [shown for shown in real if _suffix(shown) not in suffixes and (is_deployment(real[shown]) or is_manifest(real[shown]))]
    scope = [shown for shown in read if not paths or _is_below(real[shown], files, folders)]
    near = _nearest(root, read, scope, real) if files and not folders else read
    return Tree(root, near, others, real=real, contents=contents, scope=scope, named=[shown for shown in scope if real[shown] in files],
                partial=len(near) < len(read), excluded=len(listed) - len(kept), closed=listing is not None)  # fmt: skip


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
