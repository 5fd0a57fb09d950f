"""A scratch folder by its descriptor: filled, walked, measured and removed. No link in it is followed, no depth of it is too much."""

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MOST = 100_000  # entries; a folder with more is over its limit
DEEPEST = 64  # folders above an entry; what lies deeper is not looked at
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a folder that is walked: its path from the top, and its name in `folder`, a descriptor open until the next one.

    `unseen`: a folder that lies too deep, or cannot be read, so that what it holds is not told.
    """

    path: str
    folder: int
    name: str
    status: os.stat_result
    unseen: bool


def place(top: int, name: str, size: int, read: Callable[[int], bytes], owner: int = -1) -> None:
    """Write a new file of `size` bytes, which `read` gives in pieces of at most so many; folders are made on the way. -1: we own them."""
    *folders, last = name.split("/")
    here = os.dup(top)
    try:
        for folder in folders:
            with suppress(FileExistsError):
                os.mkdir(folder, 0o700, dir_fd=here)
                os.chown(folder, owner, owner, dir_fd=here, follow_symlinks=False)
            here, above = os.open(folder, _FOLDER, dir_fd=here), here
            os.close(above)
        file = os.open(last, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o700, dir_fd=here)
    finally:
        os.close(here)
    with open(file, "wb") as out:  # noqa: PTH123 -- a descriptor has no path
        os.fchown(file, owner, owner)
        while size:
            size -= out.write(read(size))


def walk(top: int) -> Iterator[Entry]:
    """Every entry below, each folder before what it holds; what is gone meanwhile is passed over, what its owner locked is unlocked."""
    above: list[tuple[str, int, list[str]]] = [("", os.dup(top), _sorted(top))]
    try:
        while above:
            path, folder, rest = above[-1]
            if not rest:
                os.close(folder)
                above.pop()
                continue
            name = rest.pop()
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                inner = _enter(folder, name) if stat.S_ISDIR(status.st_mode) and len(above) <= DEEPEST else None
            except FileNotFoundError:
                continue
            if inner is not None:
                above.append((f"{path}{name}/", inner, _sorted(inner)))
            yield Entry(path + name, folder, name, status, unseen=stat.S_ISDIR(status.st_mode) and inner is None)
    finally:
        for _, folder, _ in above:
            os.close(folder)


def _enter(parent: int, name: str) -> int | None:
    """A folder's descriptor, or None where it cannot be read."""
    try:
        try:
            return os.open(name, _FOLDER, dir_fd=parent)
        except PermissionError:
            _unlock(parent, name)
            return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError:
        return None


def _sorted(folder: int) -> list[str]:
    return sorted(names(folder), reverse=True)


def names(folder: int) -> list[str]:
    """What a folder holds, by its descriptor."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def over(top: int, most: int) -> bool:
    """Whether a folder holds more than so many bytes, or hides that: by too many entries, or too deep ones."""
    total = 0
    for count, entry in enumerate(walk(top), 1):
        total += entry.status.st_blocks * 512
        if total > most or count > MOST or entry.unseen:
            return True
    return False


def remove(parent: int, name: str) -> None:
    """Remove a folder and all it holds. Inner folders are lifted to the top before they are emptied, so no depth matters."""
    _unlock(parent, name)
    top = os.open(name, _FOLDER, dir_fd=parent)
    try:
        stuck: set[str] = set()
        while left := set(names(top)) - stuck:
            stuck.update(each for each in left if not _removed(top, top, each))
    finally:
        os.close(top)
    os.rmdir(name, dir_fd=parent)


def _removed(top: int, folder: int, name: str) -> bool:
    """Remove an entry, or lift it to the top; False where neither is allowed."""
    try:
        if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=folder)
            return True
        _unlock(folder, name)
        if folder != top:
            os.rename(name, secrets.token_hex(16), src_dir_fd=folder, dst_dir_fd=top)
            return True
        inner = os.open(name, _FOLDER, dir_fd=folder)
        try:
            stuck = [each for each in names(inner) if not _removed(top, inner, each)]
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=folder)
    except OSError:
        return False
    return not stuck


def _unlock(parent: int, name: str) -> None:
    """Let its owner read and empty a folder again. By descriptor: should its place have been taken by a link, nothing else is changed."""
    folder = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        Path(f"/proc/self/fd/{folder}").chmod(0o700)
    finally:
        os.close(folder)
