"""Deployment units: the command lines that start workers (Procfile, compose file, Dockerfile, systemd unit, scripts, manifests)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from guardrails.files import is_deployment
from guardrails.names.code import Code
from guardrails.place import Place

_CONTINUED = re.compile(rb"\\\r?\n\s*")
_LISTED = re.compile(rb"(command|args|entrypoint):\s*(?:\n\s*-\s*[^\n]+)+")
_PUNCTUATION = re.compile(rb"""["',\[\]]+""")
_DEVELOPMENT = re.compile(r"(?i)(?:^|[/._-])(?:dev|develop|development|local|test|tests|testing|ci|example|sample)(?:[/._-]|$)")


class CommandLine(msgspec.Struct, frozen=True):
    """A command line in words separated by blanks, and where it stands."""

    words: str
    place: Place


def is_development(path: str) -> bool:
    """Whether a file's name says that it is for development or tests only."""
    return _DEVELOPMENT.search(path) is not None


def command_lines(code: Code, pattern: str) -> list[CommandLine]:
    """The command lines of deployment files, not of development ones, that match a model's worker pattern."""
    worker = re.compile(pattern)
    paths = [path for path in code.files.others if is_deployment(path) and not is_development(path)]
    found = [line for path in paths for line in _lines(path, code.files.load(path))]
    return [line for line in found if worker.search(line.words)]


def _lines(path: str, text: bytes) -> Iterator[CommandLine]:
    text = _CONTINUED.sub(lambda m: b" " * len(m[0]), text)
    text = _LISTED.sub(lambda m: m[0].replace(b"\n", b" ").replace(b"- ", b"  "), text)
    offset = 0
    for line in text.split(b"\n"):
        words = " ".join(_PUNCTUATION.sub(b" ", line).decode("utf-8", "replace").split())
        if words and not words.startswith(("#", "//")):
            yield CommandLine(words, Place(path, offset, offset + len(line.rstrip())))
        offset += len(line) + 1


def flag(line: CommandLine, flags: tuple[str, ...]) -> str | None:
    """The value of the first of these flags on a command line."""
    for name in flags:
        match = re.search(rf"(?:^|\s){re.escape(name)}(?:=|\s+)(\S+)", line.words)
        if match:
            return match[1]
    return None
