"""A scratch folder by its descriptor: filled, walked, measured and removed. No link in it is followed, no depth of it is too much."""

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

MOST = 100_000  # entries; a folder with more is over its limit
DEEPEST = 64  # folders above an entry; what lies deeper is not looked at
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a folder that is being walked: its path from the top, and its name in `folder`, a descriptor that is open until the next entry."""

    path: str
    folder: int
    name: str
    status: os.stat_result

    @property
    def unseen(self) -> bool:
        """Whether this is a folder that lies too deep to be entered."""
        return stat.S_ISDIR(self.status.st_mode) and self.path.count("/") >= DEEPEST


def place(top: int, name: str, size: int, read: Callable[[int], bytes]) -> None:
    """Write a new file of `size` bytes, which `read` gives in pieces of at most so many; folders are made on the way."""
    *folders, last = name.split("/")
    here = os.dup(top)
    try:
        for folder in folders:
            with suppress(FileExistsError):
                os.mkdir(folder, 0o700, dir_fd=here)
            here, above = os.open(folder, _FOLDER, dir_fd=here), here
            os.close(above)
        file = os.open(last, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o700, dir_fd=here)
    finally:
        os.close(here)
    with open(file, "wb") as out:  # noqa: PTH123 -- a descriptor has no path
        while size:
            size -= out.write(read(size))


def walk(top: int) -> Iterator[Entry]:
    """Every entry below, each folder before what it holds; what cannot be read, or is gone meanwhile, is passed over."""
    above: list[tuple[str, int, list[str]]] = [("", os.dup(top), _names(top))]
    try:
        while above:
            path, folder, names = above[-1]
            if not names:
                os.close(folder)
                above.pop()
                continue
            name = names.pop()
            try:
                entry = Entry(path + name, folder, name, os.stat(name, dir_fd=folder, follow_symlinks=False))
                yield entry
                if stat.S_ISDIR(entry.status.st_mode) and not entry.unseen:
                    inner = os.open(name, _FOLDER, dir_fd=folder)
                    above.append((f"{entry.path}/", inner, _names(inner)))
            except OSError:
                continue
    finally:
        for _, folder, _ in above:
            os.close(folder)


def _names(folder: int) -> list[str]:
    try:
        return sorted(os.listdir(folder), reverse=True)
    except OSError:
        return []


def over(top: int, most: int) -> bool:
    """Whether a folder holds more than so many bytes, or hides that: by too many entries, or too deep ones."""
    total = count = 0
    for entry in walk(top):
        total += entry.status.st_blocks * 512
        count += 1
        if total > most or count > MOST or entry.unseen:
            return True
    return False


def remove(parent: int, name: str) -> None:
    """Remove a folder and all it holds. Inner folders are lifted to the top before they are emptied, so no depth matters."""
    _unlock(parent, name)
    top = os.open(name, _FOLDER, dir_fd=parent)
    try:
        stuck: set[str] = set()
        while names := set(os.listdir(top)) - stuck:
            stuck.update(each for each in names if not _removed(top, top, each))
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
            emptied = all([_removed(top, inner, each) for each in os.listdir(inner)])
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=folder)
    except OSError:
        return False
    return emptied


def _unlock(parent: int, name: str) -> None:
    """Let its owner read and empty a folder again. By descriptor: should its place have been taken by a link, nothing else is changed."""
    folder = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{folder}", 0o700)
    finally:
        os.close(folder)
