"""Blobs as files in a folder, for their owner only: FOLDER/ab/ab12.. ; each is written beside its place, synced, then moved there."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from guardrails.runtime.blobs.stores import checked
from guardrails.runtime.errors import RuntimeFault


class Folder:
    """See `stores.Store`."""

    def __init__(self, place: str) -> None:
        self._root = Path(place).expanduser().absolute()

    @property
    def shown(self) -> str:
        """The folder."""
        return str(self._root)

    def has(self, name: str, soon: bool = False) -> bool:
        """Whether it is there; a link is not."""
        with self._told():
            try:
                return stat.S_ISREG(self._path(name).lstat().st_mode)
            except FileNotFoundError:
                return False

    def save(self, name: str, file: BinaryIO, content_type: str) -> None:
        """Keep a file's rest."""
        path = self._path(name)
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, part = tempfile.mkstemp(dir=path.parent, prefix=".part-")  # 0600, and nobody's link
            try:
                with os.fdopen(handle, "wb") as out:
                    shutil.copyfileobj(file, out)
                    out.flush()
                    os.fsync(out.fileno())
                Path(part).replace(path)
            except BaseException:
                Path(part).unlink(missing_ok=True)
                raise
            for folder in (path.parent, self._root):
                _sync(folder)

    def open(self, name: str) -> BinaryIO | None:
        """The file; a link is not followed."""
        with self._told():
            try:
                return os.fdopen(os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")
            except FileNotFoundError:
                return None

    def delete(self, name: str) -> None:
        """Remove the file."""
        with self._told():
            self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._root / checked(name)[:2] / name

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RuntimeFault(f"The folder of blobs {self._root} cannot be used: {(error.strerror or str(error)).lower()}.") from error


def _sync(folder: Path) -> None:
    """Make a new name in a folder last."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
