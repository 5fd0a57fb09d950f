"""Blobs in S3, or what speaks like it (AWS_ENDPOINT_URL); region, endpoint and credentials are found as boto3 finds them."""

import functools
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, BinaryIO, cast

from guardrails.runtime.blobs.stores import checked
from guardrails.runtime.errors import RuntimeFault

PATIENT: Mapping[str, Any] = {"connect_timeout": 10, "read_timeout": 60, "retries": {"mode": "standard", "max_attempts": 4}}  # seconds
SOON: Mapping[str, Any] = {"connect_timeout": 2, "read_timeout": 4, "retries": {"mode": "standard", "max_attempts": 1}}
"""While a row is locked: on SQLite that is the database, and a lease is renewed each few seconds."""
_IN_MEMORY = 1 << 20
_ABSENT = ("404", "NoSuchKey", "NotFound")


@functools.cache
def connected(place: str) -> "Bucket":
    """The store at `s3://bucket/prefix`; a client is made once for each. Raises RuntimeFault without boto3."""
    try:
        boto3, config = import_module("boto3"), import_module("botocore.config")
    except ModuleNotFoundError as error:
        raise RuntimeFault(f"Blobs in {place} need {error.name}: pip install 'worker-guardrails[s3]'.") from error
    bucket, _, prefix = place.removeprefix("s3://").partition("/")
    if not bucket:
        raise RuntimeFault("Blobs in S3 need a bucket: write s3://bucket or s3://bucket/prefix.")
    try:
        patient, soon = (boto3.session.Session().client("s3", config=config.Config(**options)) for options in (PATIENT, SOON))
    except (import_module("botocore.exceptions").BotoCoreError, ValueError) as error:
        raise RuntimeFault(f"S3 cannot be used: {error}.") from error
    return Bucket(patient, soon, bucket, prefix.strip("/"))


class Bucket:
    """See `stores.Store`."""

    def __init__(self, client: Any, soon: Any, bucket: str, prefix: str) -> None:
        """Two clients: the second gives up in a few seconds."""
        self._client, self._soon, self._bucket, self._prefix = client, soon, bucket, prefix

    @property
    def shown(self) -> str:
        """The bucket and the prefix."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def has(self, name: str, soon: bool = False) -> bool:
        """Whether it is there: an object appears once it is whole."""
        client = self._soon if soon else self._client
        with self._told():
            return self._missing_as(lambda: client.head_object(**self._place(name)) is not None, False)

    def save(self, name: str, file: BinaryIO, content_type: str) -> None:
        """Upload a file's rest, in parts where it is large."""
        place = self._place(name)
        with self._told():
            self._client.upload_fileobj(_Kept(file), place["Bucket"], place["Key"], ExtraArgs={"ContentType": content_type})

    def open(self, name: str) -> BinaryIO | None:
        """The object, fetched whole: a file that can seek."""
        file = cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - the caller closes it
        place = self._place(name)
        try:
            with self._told():
                found = self._missing_as(lambda: self._client.download_fileobj(place["Bucket"], place["Key"], file) is None, False)
            if not found:
                file.close()
                return None
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def delete(self, name: str) -> None:
        """Remove the object."""
        with self._told():
            self._soon.delete_object(**self._place(name))

    def _place(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}/{checked(name)}".lstrip("/")}

    def _missing_as(self, ask: Any, absent: bool) -> bool:
        try:
            return bool(ask())
        except import_module("botocore.exceptions").ClientError as error:
            if error.response.get("Error", {}).get("Code") in _ABSENT:
                return absent
            raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        known = import_module("botocore.exceptions")
        try:
            yield
        except (known.ClientError, known.BotoCoreError, import_module("boto3.exceptions").Boto3Error) as error:
            raise RuntimeFault(f"The blobs in {self.shown} cannot be used: {error}.") from error


class _Kept:
    """A file that boto3 must not close after it has sent it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Its next bytes."""
        return self._file.read(size)
