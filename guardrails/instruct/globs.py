"""Patterns for the files of a project in which worker code stands: few, short, and true for the next file of the same kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from posixpath import commonpath, dirname

MOST = 8  # patterns
_SPECIAL = re.compile(r"\[[^\]/]*\]|\{[^}/]*\}|[,*?\[\]{}]")


def globs(paths: Iterable[str], most: int = MOST) -> tuple[str, ...]:
    """At most so many patterns that match all these files, in order. Files of one name in several folders become one pattern, as do
    three of a folder; when these are too many, whatever stands below one folder does, the deepest first."""
    found = _by_folder(_by_name({_plain(path) for path in paths}))
    for depth in range(max((path.count("/") for path in found), default=0), -1, -1):
        if len(found) > most:
            found = _by_top(found, depth, most)
    return tuple(sorted(path for path in found if not any(_covers(one, path) for one in found)))


Found = Collection[str]


def _by_name(found: Found) -> set[str]:
    """Files of one name below one folder of the root."""
    kept = {path for path in found if path.endswith("/__init__.py") or "*" in path.rpartition("/")[2]}
    others = {path for path in found if path not in kept}
    return kept | _merged(others, lambda path: (_top(path, 1), path.rpartition("/")[2]), _everywhere, 2)


def _by_folder(found: Found) -> set[str]:
    """Three files of one folder."""
    kept = {path for path in found if "*" in path}
    others = {path for path in found if path not in kept}
    return kept | _merged(others, lambda path: (dirname(path), _suffix(path)), _beside, 3)


def _by_top(found: Found, depth: int, most: int) -> set[str]:
    """Everything below folders of that depth, those with most patterns first, until there are few enough; patterns for one name only
    when there is no other way."""
    made = set(found)
    free = [path for path in found if "**/" not in path or is_wide(path) or depth == 0]
    groups = _groups(free, lambda path: (_top(path, depth), _suffix(path)))
    for patterns in sorted(groups, key=len, reverse=True):
        if len(made) > most and len(patterns) > 1:
            made = (made - set(patterns)) | {_below(patterns)}
    return made


def is_wide(pattern: str) -> bool:
    """Whether a pattern matches everything below a folder."""
    return "**/*" in pattern


def _covers(pattern: str, path: str) -> bool:
    """Whether a pattern for everything below a folder matches a path, or all that another pattern does."""
    folder, stars, suffix = pattern.rpartition("**/*")
    return bool(stars) and path != pattern and path.startswith(folder) and path.endswith(suffix)


def _merged(found: Found, key: Callable[[str], tuple[str, str]], word: Callable[[list[str]], str], least: int) -> set[str]:
    made: set[str] = set()
    for patterns in _groups(found, key):
        made |= {word(patterns)} if len(patterns) >= least else set(patterns)
    return made


def _groups(found: Iterable[str], key: Callable[[str], tuple[str, str]]) -> list[list[str]]:
    groups: dict[tuple[str, str], list[str]] = {}
    for pattern in sorted(found):
        groups.setdefault(key(pattern), []).append(pattern)
    return list(groups.values())


def _beside(paths: list[str]) -> str:
    return f"{_in(dirname(paths[0]))}*{_suffix(paths[0])}"


def _everywhere(paths: list[str]) -> str:
    return f"{_in(commonpath([dirname(path) for path in paths]))}**/{paths[0].rpartition('/')[2]}"


def _below(paths: list[str]) -> str:
    return f"{_in(_fixed(commonpath([dirname(path) for path in paths])))}**/*{_suffix(paths[0])}"


def _fixed(folder: str) -> str:
    """A folder up to its first pattern."""
    return "/".join(folder.split("/")[: next((at for at, part in enumerate(folder.split("/")) if "*" in part), None)])


def _in(folder: str) -> str:
    return f"{folder}/" if folder else ""


def _top(path: str, depth: int) -> str:
    return "/".join(dirname(path).split("/")[:depth])


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    return f".{name.rpartition('.')[2]}" if "." in name else ""


def _plain(path: str) -> str:
    """A path as a pattern that matches it: what would mean something in a pattern, or ends one, becomes a star."""
    return _SPECIAL.sub("*", path)
