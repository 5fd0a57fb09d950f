"""Source in, `Outline` out: one module a language, all on tree-sitter."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePosixPath

from guardrails.outline import Outline

LANGUAGES = {".py": "python", ".pyi": "python", ".ts": "typescript", ".tsx": "typescript", ".mts": "typescript", ".cts": "typescript",
             ".js": "typescript", ".jsx": "typescript", ".mjs": "typescript", ".cjs": "typescript", ".rs": "rust"}  # fmt: skip


def language_of(path: str) -> str | None:
    """The language of a file by its name, None for one we do not read."""
    return LANGUAGES.get(PurePosixPath(path).suffix)


def read(path: str, source: bytes) -> Outline:
    """Read one file of a known language. Never fails on its content: what cannot be read stands in `Outline.broken`."""
    language = LANGUAGES[PurePosixPath(path).suffix]
    reader = import_module(f"guardrails.read.{language}")
    outline: Outline = reader.read(path, source)
    return outline
