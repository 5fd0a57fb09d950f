"""What a project has: files and folders, make targets, scripts. Absent is told from unknown."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator
from functools import cached_property
from posixpath import dirname, normpath
from typing import TYPE_CHECKING

import msgspec

from guardrails.files import Tree
from guardrails.paths import folders_above, lenient_matcher

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

MAKEFILES = frozenset({"GNUmakefile", "makefile", "Makefile"})
MOST = 400  # files of one kind that are read

_RULE = re.compile(r"^(?P<names>[^\s#:=][^:=#\n]*?)[ \t]*&?::?(?!=)", re.MULTILINE)
_PHONY = re.compile(r"^\.PHONY[ \t]*:(?P<names>(?:[^\n\\]|\\\n)*)", re.MULTILINE)
_INCLUDE = re.compile(r"^[ \t]*(?P<soft>[-s]?)include[ \t]+(?P<files>[^\n#]+)", re.MULTILINE)
_CONDITIONAL = re.compile(r"\$\((?:eval|call|foreach)\b|^define\b", re.MULTILINE)


class Declared(msgspec.Struct, frozen=True):
    """Names that files declare, and those files; `is_open`: there may be more."""

    names: frozenset[str]
    files: tuple[str, ...]
    is_open: bool = False


class Having:
    """A project, asked for what it has."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file."""
        return frozenset(folder for path in self._tree.listing for folder in folders_above(path))

    @cached_property
    def _by_last(self) -> dict[str, list[str]]:
        """Files and folders by the last part of their paths."""
        found: dict[str, list[str]] = {}
        for path in (*self._tree.listing, *self.folders):
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    def has(self, path: str) -> bool:
        """Whether a file or folder is there, or lies behind something that is not looked into: a submodule, a link."""
        if path in self.folders or self._tree.exists(path):
            return True
        return any(folder in self._tree.listing for folder in folders_above(path))

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there; "" is the root."""
        return path in ("", ".") or path in self.folders

    def ends_in(self, tail: str) -> bool:
        """Whether anything is there whose path ends in this."""
        return any(path == tail or path.endswith(f"/{tail}") for path in self._by_last.get(tail.rpartition("/")[2], ()))

    def like(self, name: str) -> str:
        """The one file of this name, "" where there is none or several."""
        found = self._by_last.get(name, [])
        return found[0] if len(found) == 1 else ""

    def is_ignored(self, path: str) -> bool:
        """Whether git leaves a path out: then it may be there on another machine."""
        inside = ((base, spec) for base, spec in self._ignores if path.startswith(base))
        return any(spec.match_file(path[len(base) :]) or spec.match_file(f"{path[len(base) :]}/x") for base, spec in inside)

    @cached_property
    def _ignores(self) -> list[tuple[str, GitIgnoreSpec]]:
        named = sorted(self._by_last.get(".gitignore", []))[:MOST]
        texts = ((path, self._text(path)) for path in named)
        return [(path.removesuffix(".gitignore"), lenient_matcher(text.splitlines())) for path, text in texts]

    @cached_property
    def targets(self) -> Declared:
        """What the Makefiles of the project make."""
        files = sorted(path for name in MAKEFILES for path in self._by_last.get(name, []))[:MOST]
        names: set[str] = set()
        is_open = False
        for path in files:
            found, more = self._makefile(path, frozenset())
            names |= found
            is_open = is_open or more
        return Declared(frozenset(names), tuple(sorted(files, key=_depth)), is_open)

    def _makefile(self, path: str, above: frozenset[str]) -> tuple[set[str], bool]:
        """The targets of a Makefile and of those that it includes, and whether there may be more."""
        text = self._text(path).replace("\\\n", " ")
        heads = [found["names"] for pattern in (_RULE, _PHONY) for found in pattern.finditer(text)]
        names = {word for head in heads for word in head.split()}
        is_open = any("$" in name or "%" in name for name in names) or _CONDITIONAL.search(text) is not None
        for found in _INCLUDE.finditer(text):
            for name in found["files"].split():
                paths = self._included(path, name)
                is_open = is_open or (not paths and not found["soft"])
                for one in paths - above - {path}:
                    inner, more = self._makefile(one, above | {path})
                    names |= inner
                    is_open = is_open or more
        return names, is_open

    def _included(self, path: str, name: str) -> set[str]:
        """The files that an include means; paths in it start where make is run, which is most often beside the Makefile."""
        plain = re.sub(r"\$[({](?:CURDIR|PWD|ROOT|ROOT_DIR|BASE_DIR)[)}]/?", "", name)
        found = {normpath(f"{base}/{plain}" if base else plain) for base in {dirname(path), ""}}
        if any(mark in plain for mark in "*?["):
            return {one for pattern in found for one in fnmatch.filter(self._tree.listing, pattern)}
        return {one for one in found if one in self._tree.listing}

    @cached_property
    def scripts(self) -> Declared:
        """The scripts of every package.json of the project."""
        files = sorted(self._by_last.get("package.json", []), key=_depth)
        names: set[str] = set()
        is_open = len(files) > MOST
        for path in files[:MOST]:
            found = self._scripts(path)
            names |= found or set()
            is_open = is_open or found is None
        return Declared(frozenset(names), tuple(files), is_open)

    def _scripts(self, path: str) -> set[str] | None:
        try:
            value = json.loads(self._text(path))
        except (ValueError, RecursionError):
            return None
        scripts = value.get("scripts", {}) if isinstance(value, dict) else {}
        return set(scripts) if isinstance(scripts, dict) else None

    def _text(self, path: str) -> str:
        return self._tree.peek(path).decode("utf-8-sig", "replace")


def _depth(path: str) -> tuple[int, str]:
    return path.count("/"), path


def bases(path: str) -> Iterator[str]:
    """The folder of a file and those above it, nearest first, as leads for a relative path."""
    yield from dict.fromkeys([*(f"{folder}/" for folder in reversed(list(folders_above(path)))), ""])


def joined(lead: str, name: str) -> str:
    """A relative path seen from the root, "" for one that leads out of it."""
    found = normpath(f"{lead}{name}")
    return "" if found.startswith(("..", "/")) or found == "." else found
