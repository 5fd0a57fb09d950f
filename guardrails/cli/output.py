"""Where a report goes: standard output, quietly when its reader is gone, or a file, whole or not at all."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import click

from guardrails.cli.program import Mistake


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
    try:
        target = path.resolve()
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            target.write_bytes(text.encode("utf-8", "backslashreplace"))
        else:
            _replace(text.encode("utf-8", "backslashreplace"), target)
    except (OSError, RuntimeError) as error:  # Python below 3.13 says RuntimeError for a loop of links
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise Mistake(f"{path}: the report cannot be written: {why}") from None


def _replace(data: bytes, target: Path) -> None:
    import tempfile

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
