"""Which version of a package a project allows: what stands in its requirements decides what a framework can do there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from guardrails.files import is_manifest
from guardrails.names.code import Code
from guardrails.project.units import is_development

_CLAUSE = re.compile(r"(===?|~=|<=?|>=?|!=|\^|~|)\s*v?(\d+(?:\.\d+)*)(\.\*)?")
_Version = tuple[int, ...]


class Pins:
    """Reads the requirement files of a project when somebody asks."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._below = cache(self._allows_only_below)

    def lack(self, since: Mapping[str, str]) -> bool:
        """Some package is held below the version from which something exists."""
        return any(self._below(name, version) for name, version in since.items())

    def _allows_only_below(self, name: str, version: str) -> bool:
        bounds = [bound for text in self._manifests() for bound in _bounds(text, name)]
        return bool(bounds) and all(_is_below(operator, number, wild, _numbers(version)) for operator, number, wild in bounds)

    def _manifests(self) -> Iterator[str]:
        for path in self._code.files.others:
            if is_manifest(path) and not is_development(path):
                yield self._code.files.load(path).decode("utf-8", "replace")


def _bounds(text: str, name: str) -> Iterator[tuple[str, _Version, bool]]:
    """The clauses that limit a package from above: `rq==1.16.1`, `rq>=1,<2`, `rq = "^1.15"`, `rq = {version = "~1.16"}`."""
    package = rf"(?im)^[^#\n]*?(?<![\w.-]){re.sub('[-_.]', '[-_.]', name)}(?![\w.-])(?:\[[^\]\n]*\])?"
    required = re.findall(rf"{package}[\"']?\s*\(?((?:[<>=!~]=?=?\s*\d[\d.*]*\s*,?\s*)+)", text)
    tabled = re.findall(rf"{package}\s*=\s*(?:\{{[^}}\n]*?version\s*=\s*)?[\"']([^\"'\n]*\d[^\"'\n]*)", text)
    for clauses in (*required, *tabled):
        for operator, number, wild in _CLAUSE.findall(clauses):
            if operator not in (">", ">=", "!="):
                yield operator, _numbers(number), bool(wild)


def _numbers(version: str) -> _Version:
    return tuple(int(part) for part in version.split("."))


def _is_below(operator: str, number: _Version, wild: bool, since: _Version) -> bool:
    """No version that a clause allows reaches another."""
    if operator == "~=" or (operator == "~" and len(number) > 2):
        number, wild = number[:-1], True
    elif operator == "^":
        number, wild = number[: next((i + 1 for i, part in enumerate(number) if part), len(number))], True
    elif operator == "~":
        wild = True
    if operator == "<":
        return _padded(number) <= _padded(since)
    return number < since[: len(number)] if wild else _padded(number) < _padded(since)


def _padded(number: _Version) -> _Version:
    return (*number, *(0,) * 6)[:6]
