"""Where the content of blobs lies: a folder or S3, behind one protocol; tests/runtime/test_blobs.py holds both to it."""

import re
from typing import BinaryIO, Protocol

from guardrails.runtime import settings
from guardrails.runtime.errors import RuntimeFault

_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Store(Protocol):
    """Content by name, which is its SHA-256 in hexadecimal. What fails raises RuntimeFault."""

    @property
    def shown(self) -> str:
        """What people call it."""

    def has(self, name: str, soon: bool = False) -> bool:
        """Whether it is there, whole; `soon`: told in a few seconds, or RuntimeFault, as a row is locked meanwhile."""

    def save(self, name: str, file: BinaryIO, content_type: str) -> None:
        """Keep the rest of a file: others see all of it or nothing, also if this machine dies."""

    def open(self, name: str) -> BinaryIO | None:
        """The content, None where there is none."""

    def delete(self, name: str) -> None:
        """Remove it, if it is there, `soon`."""


def store() -> Store:
    """The store of the present settings. Raises RuntimeFault for a place that cannot be."""
    place = settings.current().blobs
    if place.startswith("s3://"):
        from guardrails.runtime.blobs import s3

        return s3.connected(place)
    if "://" in place:
        raise RuntimeFault(f"Blobs are kept in a folder or in s3://bucket/prefix, not in {place.split('://')[0]}://.")
    from guardrails.runtime.blobs.folder import Folder

    return Folder(place)


def checked(name: str) -> str:
    """A blob's name; raises RuntimeFault for what could lead elsewhere."""
    if not _NAME.fullmatch(name):
        raise RuntimeFault("A blob's id is the SHA-256 of its content: 64 characters from 0 to 9 and a to f.")
    return name
