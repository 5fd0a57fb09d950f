"""Payloads of jobs: a pydantic model as canonical JSON with a version, and back, also from what an older release queued."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError

from guardrails.runtime.errors import PayloadRefused, RuntimeFault
from guardrails.runtime.logs.redact import Redactor
from guardrails.runtime.payload import declaration, masking, versions
from guardrails.runtime.payload.anatomy import anatomy
from guardrails.runtime.payload.canonical import settled, written
from guardrails.runtime.payload.rows import row_kind
from guardrails.runtime.payload.travel import refuse
from guardrails.runtime.payload.versions import PayloadUnreadable as PayloadUnreadable
from guardrails.runtime.payload.versions import Upcast as Upcast

LIMIT = 65_536
"""Bytes of UTF-8 JSON that a payload may have."""


def digest(text: str) -> str:
    """The SHA-256 of a payload's canonical JSON, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


class Shape:
    """What a job takes: a model, the version of its payload, and the way from each older version to the next."""

    def __init__(self, model: type[BaseModel], version: int = 1, upcast: Mapping[int, Upcast] = MappingProxyType({})) -> None:
        """Raises DeclarationError for what would fail, or leak, later.

        `upcast` maps each older version to a function that makes the next version's dict from that version's; version 3 needs 1 and 2.
        """
        self.model = declaration.check(model)
        self._name, self._part = model.__name__, anatomy(model)
        versions.check(self._name, version, upcast)
        self.version, self.upcast = version, dict(upcast)
        self._adapter: TypeAdapter[BaseModel] = TypeAdapter(model)
        self._schema = declaration.schema(model)
        self.sensitive_names = masking.names(self._part)
        """The names of Sensitive fields, for a Redactor to learn."""

    def dump(self, value: object) -> str:
        """The canonical JSON of a payload: equal payloads, equal text. Raises PayloadRefused, with the path and the remedy.

        Keys and sets are sorted, times are in UTC, Decimals lose trailing zeros (they stay equal). It reads back as it was written,
        or is refused.
        """
        text = self._stable(self._checked(value))
        size = len(text.encode())
        if size > LIMIT:
            sizes = {name: len(written(item).encode()) for name, item in json.loads(text).items()}
            largest = max(sizes, key=lambda name: sizes[name])
            raise PayloadRefused(
                f"{self._name} is {size:,} bytes of JSON, over {LIMIT:,}, and its field {largest} alone is {sizes[largest]:,}: "
                "keep that with runtime.blobs.put(..) and queue the BlobRef."
            )
        return text

    def load(self, text: str, version: int) -> BaseModel:
        """The payload of a stored text, brought up to the present version. Raises NewerVersion, or PayloadUnreadable."""
        data = versions.raised(self._name, text, version, self.version, self.upcast)
        try:
            return self._adapter.validate_json(text if version == self.version else written(data), by_alias=False, by_name=True)
        except ValidationError as error:
            raise PayloadUnreadable(
                f"A stored payload of version {version} is no {self._name} of version {self.version} ({self._faults(error)}): "
                "mend the upcaster, or raise the job's version and write one."
            ) from None

    def lift(self, text: str, version: int) -> str:
        """A stored text as this version would write it, to compare payloads across versions. Raises NewerVersion or PayloadUnreadable."""
        model = self.load(text, version)
        try:
            return self._stable(model)
        except PayloadRefused as refused:
            raise PayloadUnreadable(f"A stored payload cannot be written again: {refused}") from None

    def parse(self, text: str | bytes) -> BaseModel:
        """A payload from outside (HTTP, command line), by the fields' names or aliases. Raises PayloadRefused, without the values."""
        try:
            return self._adapter.validate_json(text, by_alias=True, by_name=True)
        except ValidationError as error:
            raise PayloadRefused(f"This is no {self._name}: {self._faults(error)}.") from None

    def schema(self) -> dict[str, Any]:
        """The JSON schema of a stored payload, with `version`, and with `upcasts`: the older versions that are still read."""
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "version": self.version, "upcasts": sorted(self.upcast)}
        return head | self._schema

    def redacted(self, text: str, version: int | None = None) -> dict[str, Any]:
        """A stored payload for people to read: what is Sensitive is `[redacted]`. One that cannot be read shows its keys alone.

        Give `version` where it may be an older one; it is shown as the present version would write it.
        """
        data = self._readable(text, version)
        return masking.keys_only(text) if data is None else masking.masked(self._part, data)

    def sensitive(self, text: str, version: int | None = None) -> tuple[str, ...]:
        """The values of a stored payload's Sensitive fields, as text, for a Redactor to learn; none of an unreadable payload."""
        data = self._readable(text, version)
        return () if data is None else tuple(sorted(set(masking.values(self._part, data))))

    def _readable(self, text: str, version: int | None) -> dict[str, Any] | None:
        try:
            return versions.document(text if version in (None, self.version) else self.lift(text, version or 0), self._name)
        except RuntimeFault:
            return None

    def _checked(self, value: object) -> BaseModel:
        if isinstance(value, self.model) and type(value) is self.model:
            refuse(value, self._name)
            return value
        if isinstance(value, dict):
            raise PayloadRefused(f"The payload is a dict: build the model, {self._name}(..), so that it is checked before it is queued.")
        kind = type(value).__name__
        if row := row_kind(cast("type", type(value))):
            raise PayloadRefused(f"The payload is {kind}, {row}: queue its id in a {self._name}, and read the row in the job.")
        lost = ", a subclass whose own fields the worker would not get" if isinstance(value, self.model) else ""
        raise PayloadRefused(f"The payload is a {kind}{lost}: build a {self._name}.")

    def _stable(self, value: BaseModel) -> str:
        """Canonical JSON that reads back as it was written: the worker gets what was queued."""
        first = self._canonical(value)
        second = self._canonical(self._revalidated(first))
        if first != second and (before := json.loads(first)) != (after := json.loads(second)):
            changed = next(name for name in {**before, **after} if before.get(name, ...) != after.get(name, ...))
            raise PayloadRefused(
                f"Field {changed} of {self._name} would change on its way to the worker: build the model from values of its types, "
                "and let each serializer write what the validators read."
            )
        return second

    def _canonical(self, value: BaseModel) -> str:
        try:
            dumped = self._adapter.dump_python(value, mode="json", by_alias=False, round_trip=True, warnings=False)
            text = written(settled(value, dumped, self._name))
            text.encode()
        except PayloadRefused:
            raise
        except Exception as error:
            field = next(self._unwritable(value), "")
            raise PayloadRefused(
                f"Field {field} of {self._name} cannot be written as JSON ({type(error).__name__}): use a type that pydantic writes and "
                "reads; bytes that are no text need pydantic.Base64Bytes, or runtime.blobs."
            ) from None
        return text

    def _unwritable(self, value: BaseModel) -> Iterator[str]:
        for name in type(value).model_fields:
            try:
                part = self._adapter.dump_python(value, mode="json", include={name}, by_alias=False, round_trip=True, warnings=False)
                written(part).encode()
            except Exception:
                yield name

    def _revalidated(self, text: str) -> BaseModel:
        try:
            return self._adapter.validate_json(text, by_alias=False, by_name=True)
        except ValidationError as error:
            raise PayloadRefused(f"{self._name} does not hold what it declares: {self._faults(error)}.") from None

    def _faults(self, error: ValidationError) -> str:
        """The first faults as `place: what is wrong`, without the values; of what is Sensitive nothing but the place."""
        found = error.errors(include_url=False, include_context=False, include_input=False)
        told = [f"{'.'.join(map(str, fault['loc'])) or 'it'}: {self._words(fault['loc'], fault['msg'])}" for fault in found[:3]]
        return "; ".join(told) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")

    def _words(self, place: tuple[int | str, ...], message: str) -> str:
        return "is not valid" if masking.holds_sensitive(self._part, place) else Redactor().text(message).rstrip(".")
