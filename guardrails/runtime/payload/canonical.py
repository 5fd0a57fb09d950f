"""The one text that equal payloads have: sorted keys, sorted sets, times in UTC, Decimals without trailing zeros.

Pydantic decides how a value is written; here only what leaves a choice is settled, by walking over the value and its JSON together.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from datetime import UTC, datetime
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any

from pydantic import BaseModel, RootModel

from guardrails.runtime.errors import PayloadRefused


def written(data: object) -> str:
    """JSON with sorted keys, no spaces and no NaN, as it is hashed, stored and compared."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def settled(value: object, dumped: Any, where: str) -> Any:
    """`dumped`, pydantic's JSON data of `value`, in the one form that equal values share.

    Raises PayloadRefused, with the path, for what JSON would lose: two keys that become one, the fields of a subclass.
    """
    if isinstance(value, RootModel):
        return settled(value.root, dumped, where)
    if isinstance(dumped, dict):
        return dict(_entries(value, dumped, where))
    if isinstance(dumped, list):
        return _elements(value, dumped, where)
    if isinstance(dumped, str):
        return _text(value, dumped)
    return 0.0 if isinstance(dumped, float) and dumped == 0 else dumped


def _entries(value: object, dumped: dict[str, Any], where: str) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        if len(value) != len(dumped):
            raise PayloadRefused(f"{where} has keys that are the same in JSON, such as 1 and '1': use keys of one type.")
        pairs = [(_text(key, name), item, data) for (key, item), (name, data) in zip(value.items(), dumped.items(), strict=True)]
    else:
        _refuse_loss(type(value), dumped, where)
        pairs = [(name, getattr(value, name, data), data) for name, data in dumped.items()]
    return ((name, settled(item, data, f"{where}.{name}")) for name, item, data in pairs)


def _refuse_loss(kind: type, dumped: dict[str, Any], where: str) -> None:
    """Where a field holds an instance of a subclass of its type, pydantic writes the base's fields only."""
    own = _fields(kind)
    if own - dumped.keys() and any(_fields(base) == dumped.keys() for base in kind.__mro__[1:]):
        lost = ", ".join(sorted(own - dumped.keys()))
        raise PayloadRefused(f"{where} is a {kind.__name__}, of which {lost} would be lost: name {kind.__name__} as the field's type.")


def _fields(kind: type) -> set[str]:
    if issubclass(kind, BaseModel):
        return {name for name, found in kind.model_fields.items() if not found.exclude}
    return {found.name for found in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else set()


def _elements(value: object, dumped: list[Any], where: str) -> list[Any]:
    values: Iterable[object] = value if isinstance(value, Sequence | Set) and len(value) == len(dumped) else dumped
    data = [settled(item, found, f"{where}[{at}]") for at, (item, found) in enumerate(zip(values, dumped, strict=True))]
    return sorted(data, key=written) if isinstance(value, Set) else data


def _text(value: object, dumped: str) -> str:
    """A time or a Decimal in its one form, where pydantic wrote it in the ordinary way; a custom serializer's text stays."""
    if not isinstance(value, datetime | Decimal):
        return dumped
    with suppress(ValueError, ArithmeticError):
        if isinstance(value, datetime) and _tells(datetime.fromisoformat(dumped), value):
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        if isinstance(value, Decimal) and Decimal(dumped) == value:
            return _number(value)
    return dumped


def _tells(told: datetime, value: datetime) -> bool:
    """Whether a time is the value: by its moment, or by its clock: pydantic cuts the seconds off the offset of a local mean time."""
    if told.tzinfo is None:
        return False
    return told.replace(tzinfo=None) == value.replace(tzinfo=None) or told.astimezone(UTC) == value.astimezone(UTC)


def _number(value: Decimal) -> str:
    if value.is_zero():
        return "0"
    exact = Context(prec=max(1, len(value.as_tuple().digits)), Emin=MIN_EMIN, Emax=MAX_EMAX)
    return str(value.normalize(exact))
