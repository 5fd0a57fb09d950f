"""Paths and patterns as a foreign project may write them: reading that neither blocks nor follows links, patterns that cost little."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

CONFIG_BYTES = 1_000_000  # of a configuration, a framework model, a .gitignore
MAX_STARS, MAX_DOUBLE_STARS = 6, 4  # in a component, in a pattern: more of them may take a matcher ages
TABLE = re.compile(r"^[ \t]*\[{1,2}[ \t]*(?:tool|\"tool\"|'tool')[ \t]*\.[ \t]*[\"']?guardrails[\"']?[ \t]*(?:[].]|$)", re.MULTILINE)
MENTION = re.compile(r"^[^#\n]*?(?<![\w-])guardrails(?![\w-])", re.MULTILINE)
_SCRIPTS = frozenset({"bin", "scripts", "docker", "deploy"})
_DEPLOYED = frozenset({"deploy", "k8s", "kubernetes", "helm", "charts", "ops", "infra", "docker"})
_DEPLOYMENT = re.compile(r"Procfile.*|(?:docker-)?compose.*\.ya?ml|Dockerfile.*|.*\.Dockerfile|.*\.service|supervisord.*\.conf")
_INSTRUCTIONS = re.compile(
    r"(?:^|/)(?:(?:AGENTS|CLAUDE|GEMINI|SKILL)\.md|[^/]*\.(?:agent|instructions)\.md|\.github/(?:copilot-instructions|agents/[^/]+)\.md"
    r"|\.cursor/rules/[^/]*\.mdc)$"
)
_MANIFEST = re.compile(r"(?:^|/)(?:pyproject\.toml|setup\.cfg|Pipfile|(?:[\w.-]*requirements[\w.-]*|requirements/[\w.-]+)\.(?:txt|in))$")
_TEST_FOLDER = re.compile(r"t|_?tests?|__tests__|spec|_test_\w+|\w+_tests|examples?|demos?|example_\w+")
_TEST_NAME = re.compile(r"(?:test_[^/]*|[^/]*_test|conftest|tests)\.pyi?|[^/]*\.(?:test|spec)\.[cm]?[jt]sx?")
_ASIDE = re.compile(r"(?:^|/)(?:(?:scripts?|bin|tools?|cli|cmd|commands|demos?)/|(?:cli|\w*demo\w*)\.py$)")
# What builds and serves while somebody develops.
_TOOL_NAME = re.compile(r"(?:webpack|vite|vitest|rollup|jest|babel|eslint|playwright|cypress|gulp)[\w.-]*\.(?:config|dev)\.[cm]?[jt]s")


def read_plain(path: Path, limit: int) -> bytes | str:
    """The bytes, or why they were not read. A link is not followed, and what is no plain file does not block."""
    if not getattr(os, "O_NOFOLLOW", 0) and path.is_symlink():
        return "link"
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
    except OSError:
        if path.is_symlink():
            return "link"
        if path.exists() and not path.is_file():
            return "no plain file"
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return "no plain file"
        if status.st_size > limit:
            return "too large"
        with os.fdopen(handle, "rb", buffering=0, closefd=False) as file:
            return file.read()
    finally:
        os.close(handle)


def has_table(pyproject: str) -> bool:
    """Whether the text of a pyproject.toml holds settings of ours, in whatever form; one that is broken does so only by its heading."""
    if TABLE.search(pyproject):
        return True
    if not MENTION.search(pyproject):
        return False
    import tomllib

    try:
        tool = tomllib.loads(pyproject).get("tool")
    except (ValueError, RecursionError):
        return False
    return isinstance(tool, dict) and "guardrails" in tool


def is_configured(folder: Path) -> bool:
    """Whether a folder holds a configuration of ours, be it a good one or not."""
    if os.path.lexists(folder / "guardrails.yaml"):
        return True
    try:
        data = read_plain((folder / "pyproject.toml").resolve(), CONFIG_BYTES)
    except (OSError, ValueError, RuntimeError):
        return False
    return isinstance(data, bytes) and b"guardrails" in data and has_table(data.decode("utf-8-sig", "surrogateescape"))


def matcher(patterns: Sequence[str]) -> GitIgnoreSpec:
    """Whether a path relative to the root matches any of these patterns, which are as in .gitignore."""
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)


def pattern_fault(pattern: str) -> str:
    """What is wrong with a pattern, "" for a good one."""
    if _is_wild(pattern):
        return "has too many stars"
    try:
        matcher([pattern])
    except (ValueError, re.error, RecursionError, OverflowError):
        return "is no pattern as in .gitignore"
    return ""


def lenient_matcher(lines: Sequence[str]) -> GitIgnoreSpec:
    """As `matcher`; what cannot be one of its patterns is left out."""
    tame = [line for line in lines if not _is_wild(line)]
    try:
        return matcher(tame)
    except (ValueError, re.error, RecursionError, OverflowError):
        return matcher([line for line in tame if not pattern_fault(line)])


def _is_wild(pattern: str) -> bool:
    if pattern.startswith("#"):
        return False
    return pattern.count("**") > MAX_DOUBLE_STARS or any(part.count("*") > MAX_STARS for part in pattern.split("/"))


def stays_inside(name: str) -> bool:
    """Whether a name, relative to a folder, can only lead below that folder (links aside)."""
    if name[:1] not in ("/", "\\") and ".." not in name and ":" not in name:
        return True
    return not PurePath(name).anchor and ".." not in name.replace(os.sep, "/").split("/")


def folders_above(path: str) -> Iterable[str]:
    """The folders above a relative path, from the outermost."""
    return (path[:at] for at, letter in enumerate(path) if letter == "/")


def show(path: str) -> str:
    """A path as it is shown: `/` between folders, and whatever cannot be printed (newlines, bytes that are no UTF-8) as an escape."""
    if path.isprintable():
        return path
    escapes = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(one if one.isprintable() else escapes.get(one) or _escape(ord(one)) for one in path)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, as os.fsdecode carries it
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_test(path: str) -> bool:
    """Whether a file belongs to tests, examples or the tools of development, by its path relative to the root."""
    folder, _, name = path.rpartition("/")
    return _is_in_tests(folder) or _TEST_NAME.fullmatch(name) is not None or _TOOL_NAME.fullmatch(name) is not None


@lru_cache(maxsize=65536)
def _is_in_tests(folder: str) -> bool:
    return any(_TEST_FOLDER.fullmatch(part) for part in folder.split("/"))


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


def is_instructions(path: str) -> bool:
    """Whether a file tells coding agents how to work here, by its path relative to the root."""
    return path.endswith((".md", ".mdc")) and _INSTRUCTIONS.search(path) is not None
