"""Writes a file in one step: whoever reads it sees the old bytes or the new, never half of them."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def lay(target: Path, data: bytes) -> Path:
    """Lays a new file beside the one that it shall replace, with the mode of that one. Raises `OSError`, and then leaves nothing."""
    import tempfile

    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.")
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        made.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return made


def replace(target: Path, data: bytes) -> None:
    """Gives a plain file other bytes in one step, and leaves its mode. Raises `OSError`, with nothing changed."""
    made = lay(target, data)
    try:
        made.replace(target)
    finally:
        made.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
