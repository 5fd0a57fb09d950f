"""Files of a project that a command may change: whole or not at all, and only where nobody else did meanwhile."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from guardrails.cli.program import say
from guardrails.paths import stays_inside
from guardrails.writing import replace


class Files:
    """The files of a project as a command may change them. `refused` says of each other file why it is left alone.

    `seen` are bytes that were looked at: a file that holds others by now is refused.
    """

    def __init__(self, root: Path, seen: Mapping[str, bytes]) -> None:
        self._root, self._seen = root, dict(seen)
        self.refused: dict[str, str] = {}

    def load(self, path: str) -> bytes | None:
        """The bytes of a file that may be changed, None for another."""
        if path in self.refused:
            return None
        why = self._forbidden(path)
        data = b"" if why else (self._root / path).read_bytes()
        if not why and self._seen.setdefault(path, data) != data:
            why = "it was changed while it was looked at; run again"
        if why:
            self.refused[path] = why
            return None
        return data

    def _forbidden(self, path: str) -> str:
        file = self._root / path
        if not stays_inside(path) or file.is_symlink() or file.resolve() != self._root.resolve() / path:
            return "it is a link, or lies behind one"
        try:
            mode = file.stat().st_mode
        except OSError as error:
            return f"it cannot be read ({(error.strerror or 'error').lower()})"
        if not stat.S_ISREG(mode):
            return "it is no plain file"
        if not mode & 0o222 or not os.access(file, os.W_OK):
            return "it is read-only"
        return "" if os.access(file.parent, os.W_OK) else "its folder is read-only"

    def save(self, path: str, after: bytes) -> bool:
        """Writes a file in one step, with the mode that it has; not where somebody else changed it meanwhile."""
        if self.load(path) is None:
            return False
        try:
            replace(self._root / path, after)
        except OSError as error:
            self.refused[path] = f"it cannot be written ({(error.strerror or str(error)).lower()})"
            return False
        return True

    def tell(self) -> None:
        """Says which files were left alone, and why."""
        for path, why in sorted(self.refused.items()):
            say(f"{path} was left as it is: {why}.")
