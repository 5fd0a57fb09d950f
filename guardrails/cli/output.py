"""Where a report goes: standard output, quietly when its reader is gone, or a file, whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from guardrails.cli.program import Mistake
from guardrails.writing import lay


def emit(text: str, color: bool = False) -> None:
    """Writes to standard output. A reader that has gone (`| head`) is no error."""
    if sys.stdout is None:
        return
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:
        reconfigure(errors="backslashreplace")
    try:
        click.echo(text, nl=False, color=color)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains when it flushes at its end
    except OSError as error:
        raise Mistake(f"the report cannot be written: {error.strerror}") from None


def save(text: str, path: Path) -> None:
    """Writes a file in one step: a reader sees the old text or the new, never half of it."""
    save_all([(text, path)])


def save_all(reports: Sequence[tuple[str, Path]]) -> None:
    """Writes files that belong together: all of them or, where one cannot be written, none."""
    staged: list[tuple[Path, Path]] = []  # a new file, and the one that it replaces
    direct: list[tuple[Path, bytes]] = []  # pipes and devices
    try:
        for text, path in reports:
            with _told(path):
                _stage(text.encode("utf-8", "backslashreplace"), path, staged, direct)
        for target, data in direct:
            with _told(target):
                target.write_bytes(data)
        for made, target in staged:
            with _told(target):
                made.replace(target)
    finally:
        for made, _ in staged:
            made.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # Python below 3.13 says RuntimeError for a loop of links
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise Mistake(f"{path}: the report cannot be written: {why}") from None


def _stage(data: bytes, path: Path, staged: list[tuple[Path, Path]], direct: list[tuple[Path, bytes]]) -> None:
    """Lays the new file beside its target; what is no file cannot be replaced and waits."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        direct.append((path, data))  # as it was named: /dev/stdout leads to a pipe, which has no name
        return
    target = path.resolve()
    staged.append((lay(target, data), target))
