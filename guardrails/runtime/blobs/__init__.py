"""Object storage for what is too large for a payload: a folder, or S3, as `runtime.configure(blobs=..)` says.

A blob is named by the SHA-256 of its content, so a job that runs again stores nothing twice. A folder or bucket prefix belongs to one
database of the runtime: what that one's workers prune is gone for all.
"""

import hashlib
import tempfile
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field

from guardrails.runtime.blobs import book
from guardrails.runtime.blobs.stores import Store, store
from guardrails.runtime.errors import PayloadRefused, RuntimeFault
from guardrails.runtime.home import home

_IN_MEMORY = 1 << 20
_READ = 1 << 18
_TRIES = 3


class BlobMissing(RuntimeFault):
    """There is no such blob: its time is over, it was deleted, or it is kept elsewhere; or what is kept is not what was put."""


class BlobRef(BaseModel):
    """Where a blob is found again; small, and made to stand in payloads and results. `size` is in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="The SHA-256 of the content.")]
    size: Annotated[int, Field(ge=0)]
    content_type: Annotated[str, Field(max_length=255, pattern="^[ -~]+$")] = "application/octet-stream"


def put(data: bytes | BinaryIO | Path, content_type: str = "application/octet-stream", ttl: float | None = None) -> BlobRef:
    """Keep bytes, an open binary file (from where it stands) or a file's content; `ttl` in days, None = until it is deleted.

    The same content again stores nothing, and lives as long as the longest time given for it. Raises PayloadRefused for text or a `ttl`
    that is no time, DatabaseRefused, or RuntimeFault where the storage fails; then a reference would have led nowhere, and there is none.
    """
    if ttl is not None and not ttl > 0:
        raise PayloadRefused(f"blobs.put(ttl=..) is a number of days above 0, not {ttl!r}.")
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
        name, size = _copied(data, spool)
        ref = BlobRef(id=name, size=size, content_type=content_type)
        kept = store()
        for _ in range(_TRIES):
            if not kept.has(ref.id):
                spool.seek(0)
                kept.save(ref.id, cast("BinaryIO", spool), content_type)
            if _entered(kept, ref, ttl):
                return ref
    raise RuntimeFault(f"Blob {ref.id[:12]}.. was removed {_TRIES} times while it was put: put it again.")


def open(ref: BlobRef) -> BinaryIO:  # noqa: A001
    """A blob's content as a binary file that can seek, to be closed by the caller. Raises BlobMissing."""
    found = None if _over(ref) else store().open(ref.id)
    if found is None:
        raise BlobMissing(f"Blob {ref.id[:12]}.. is not in {store().shown}: it was deleted, its time is over, or it is kept elsewhere.")
    return found


def read(ref: BlobRef) -> bytes:
    """A blob's content, held against its name; raises BlobMissing, also for content that was changed since."""
    with open(ref) as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != ref.id:
        raise BlobMissing(f"The content of blob {ref.id[:12]}.. in {store().shown} was changed since it was put: it is not given out.")
    return data


def exists(ref: BlobRef) -> bool:
    """Whether a blob can be opened."""
    return not _over(ref) and store().has(ref.id)


def delete(ref: BlobRef) -> bool:
    """Remove a blob, for all who hold a reference to it; whether it was there."""
    there = store().has(ref.id)
    with home().database.begin() as connection:
        book.strike(home().database, connection, ref.id)
        store().delete(ref.id)
    return there


def _entered(kept: Store, ref: BlobRef, ttl: float | None) -> bool:
    """Note a blob that is stored; False where it was removed before its row was locked, which a removal waits for."""
    database = home().database
    with database.begin() as connection:
        book.enter(database, connection, ref.id, ref.size, ref.content_type, ttl)
        there = kept.has(ref.id, soon=True)
        if not there:
            connection.rollback()
    return there


def _over(ref: BlobRef) -> bool:
    """Whether a blob's time is over; what is not in the book has none."""
    database = home().database
    table = database.tables.blob
    with database.read() as connection:
        return connection.execute(sa.select(table.c.id).where(table.c.id == ref.id, table.c.expires <= database.now)).scalar() is not None


def _copied(data: bytes | BinaryIO | Path, spool: "tempfile.SpooledTemporaryFile[bytes]") -> tuple[str, int]:
    """Copy the content; its SHA-256 and its size."""
    if isinstance(data, bytes | bytearray | memoryview):
        spool.write(data)
        return hashlib.sha256(data).hexdigest(), memoryview(data).nbytes
    if isinstance(data, Path):
        with data.open("rb") as file:
            return _copied(file, spool)
    if not hasattr(data, "read"):
        raise PayloadRefused(f"blobs.put(..) takes bytes, a binary file or a Path, not {type(data).__name__}.")
    digest, size = hashlib.sha256(), 0
    while True:
        piece = data.read(_READ)
        if not isinstance(piece, bytes):
            raise PayloadRefused("blobs.put(..) was given a file of text: open it in binary mode.")
        if not piece:
            break
        digest.update(piece)
        size += spool.write(piece)
    return digest.hexdigest(), size
