"""Outlines, and what else is slow to make, kept between runs: in the user's cache folder, never in the scanned tree, never as pickle.

An entry is known by what it was made from (content, language, reader, grammar, schema), so that nothing has to be invalidated.
Whatever goes wrong with the folder (read-only, full, corrupt) means that there is no cache.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import msgspec

from guardrails import outline as shapes
from guardrails.outline import Outline
from guardrails.paths import read_plain
from guardrails.read import language_of, read

WORTH = 300  # bytes of source: a smaller file is read about as quickly as its entry
MAX_BYTES = 200_000_000
PRUNE_AFTER = 86_400.0  # seconds between two looks at the folder's size
GRAMMARS = {
    "python": ("tree_sitter_python",),
    "typescript": ("tree_sitter_typescript",),
    "rust": ("tree_sitter_rust",),
}

_encode = msgspec.msgpack.Encoder().encode


@cache
def _decoder() -> msgspec.msgpack.Decoder[Outline]:
    """Made on first use: looking through all the structures takes milliseconds."""
    return msgspec.msgpack.Decoder(Outline)


class Outlines(Protocol):
    """Whoever can give the outline of a file, and remember what is slow to make."""

    def outline(self, path: str, source: bytes) -> Outline:
        """The outline of a file of a known language. Never fails on the file's content."""

    def remember(self, key: str, make: Callable[[], bytes]) -> bytes:
        """What `make` makes, or made in an earlier run for an equal key."""


class NoCache:
    """Reads every time."""

    def outline(self, path: str, source: bytes) -> Outline:
        """The outline of a file of a known language."""
        return read(path, source)

    def remember(self, key: str, make: Callable[[], bytes]) -> bytes:
        """What `make` makes."""
        return make()


class Shared:
    """Reads equal bytes once in a run: the base of a change holds most files of its end."""

    def __init__(self, under: Outlines) -> None:
        self._under = under
        self._read: dict[tuple[str, bytes], Outline] = {}

    def outline(self, path: str, source: bytes) -> Outline:
        """The outline of a file of a known language."""
        key = path.rpartition(".")[2], source
        if key not in self._read:
            self._read[key] = self._under.outline(path, source)
        return self._read[key]

    def remember(self, key: str, make: Callable[[], bytes]) -> bytes:
        """What `make` makes, or made before."""
        return self._under.remember(key, make)


class Cache:
    """Entries below a folder, one file each: the digest of the payload, then the payload. `outlines` may be written by several at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or user_folder()
        self._is_ours = _is_ours(self.folder)
        self._writable = self._is_ours

    def outline(self, path: str, source: bytes) -> Outline:
        """The outline of a file of a known language, from the cache where it has it. Never fails on the file's content."""
        language = language_of(path)
        if language is None or len(source) < WORTH:
            return read(path, source)
        dialect = path.rpartition(".")[2]
        key = _digest(source, f"{dialect}\0{reader_version(language)}".encode())
        if data := self._get(key):
            try:
                return _decoder().decode(data)
            except (msgspec.MsgspecError, RecursionError, ValueError):
                pass
        outline = read(path, source)
        self._put(key, outline)
        return outline

    def remember(self, key: str, make: Callable[[], bytes]) -> bytes:
        """What `make` makes, or made in an earlier run for an equal key."""
        name = _digest(key.encode("utf-8", "surrogateescape"), b"remember")
        data = self._get(name)
        if not data:
            data = make()
            self._write(name, data)
        return data

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]

    def _get(self, key: str) -> bytes:
        """The payload of an entry, empty where there is none or it is corrupt."""
        try:
            data = read_plain(self._path(key), MAX_BYTES) if self._is_ours else b""
        except OSError:
            return b""
        if isinstance(data, str):
            return b""
        return data[8:] if data[:8] == _check(data[8:]) else b""

    def _put(self, key: str, outline: Outline) -> None:
        try:
            data = _encode(outline)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):  # e.g. a number of more than 64 bits
            return
        self._write(key, data)

    def _write(self, key: str, data: bytes) -> None:
        if not self._writable:
            return
        path = self._path(key)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            self._make(path.parent)
            part.write_bytes(_check(data) + data)
            part.replace(path)
        except OSError:
            self._writable = False

    def _make(self, folder: Path) -> None:
        if not folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(self.folder):
                raise PermissionError(self.folder)
            folder.mkdir(mode=0o700, exist_ok=True)

    def prune(self, now: float | None = None, limit: int = MAX_BYTES) -> int:
        """Take the oldest entries out until the folder holds at most `limit` bytes; at most once a day. Returns how many went."""
        if not self._is_ours:
            return 0
        stamp = self.folder / "pruned"
        now = time.time() if now is None else now
        try:
            if not stamp.exists():
                stamp.touch(exist_ok=True)
            if now - stamp.stat().st_mtime < PRUNE_AFTER:
                return 0
            os.utime(stamp, (now, now))
            return self._drop_oldest(limit)
        except OSError:
            return 0

    def _drop_oldest(self, limit: int) -> int:
        files = [(file, file.stat()) for folder in self.folder.iterdir() if folder.is_dir() for file in folder.iterdir()]
        entries = [(status.st_mtime, status.st_size, file) for file, status in files]
        excess, gone = sum(size for _, size, _ in entries) - limit, 0
        for _, size, file in sorted(entries):
            if excess <= 0:
                break
            file.unlink()
            excess, gone = excess - size, gone + 1
        return gone


def _is_ours(folder: Path) -> bool:
    """Whether only this user can have written below the folder, which need not be there yet; elsewhere than on POSIX it is believed."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    if os.name != "posix":
        return stat.S_ISDIR(status.st_mode)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def user_folder() -> Path:
    """Where this platform keeps a user's caches, with a folder of our own."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = _xdg() or str(Path.home() / "Library" / "Caches")
    else:
        base = _xdg() or str(Path.home() / ".cache")
    return Path(base) / "worker-guardrails"


def _xdg() -> str:
    base = os.environ.get("XDG_CACHE_HOME", "")
    return base if Path(base).is_absolute() else ""  # the scanned tree must not become the cache


@cache
def reader_version(language: str) -> str:
    """What the outlines of a language depend on beside the source: schema, readers and grammars, by size and time of their files."""
    package = Path(shapes.__file__).parent
    files = [Path(shapes.__file__), *(package / "read").glob("*.py")]
    for name in GRAMMARS[language]:
        spec = find_spec(name)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            files += [file for file in Path(folder).iterdir() if file.name.startswith("_binding")]
    stats = [(file.name, status.st_size, status.st_mtime_ns) for file in sorted(files) for status in [file.stat()]]
    return hashlib.sha256(repr((shapes.SCHEMA, sys.version_info[:2], stats)).encode()).hexdigest()


def _digest(content: bytes, kind: bytes) -> str:
    return hashlib.sha256(kind + b"\0" + content).hexdigest()


def _check(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()
