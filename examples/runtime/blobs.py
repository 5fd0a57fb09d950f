"""What is over 64 KiB goes into object storage, a folder or S3; the payload carries the reference."""

import hashlib

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime.blobs import BlobRef


class Upload(BaseModel):
    file: BlobRef


@runtime.job(timeout=60, key=lambda p: p.file.id)
def index_upload(p: Upload) -> dict[str, int]:
    with runtime.blobs.open(p.file) as file:
        lines = sum(1 for _ in file)
    summary = runtime.blobs.put(f"{lines} lines".encode(), "text/plain", ttl=30)
    runtime.log.info("summary is %s", summary.id)
    return {"bytes": p.file.size, "lines": lines}


def upload(data: bytes) -> str:
    ref = runtime.blobs.put(data, "text/csv")
    assert ref.id == hashlib.sha256(data).hexdigest()
    return index_upload.enqueue(Upload(file=ref)).id


if __name__ == "__main__":
    print(upload(b"a,b\n" * 50_000))
