"""Models that the tests of payloads share."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from pydantic import (
    Base64Bytes,
    BaseModel,
    ConfigDict,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from guardrails.runtime.payload import Shape


class Base(DeclarativeBase):
    pass


class Row(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)


class Charge(BaseModel):
    order_id: str
    amount: Decimal = Decimal(1)


class Anything(BaseModel):
    given: Any


def text_of(value: Any) -> str:
    return Shape(Anything).dump(Anything(given=value))


def loose(annotation: Any) -> type[BaseModel]:
    """A model with one field; whatever the type is, pydantic builds it."""
    held: dict[str, Any] = {"__annotations__": {"field": annotation}, "model_config": ConfigDict(arbitrary_types_allowed=True)}
    model = type("Loose", (BaseModel,), held)
    model.model_config["arbitrary_types_allowed"] = False
    return model


class Colour(Enum):
    RED = "red"


class Whole(BaseModel):
    text: str = "é\x00\n"
    when: datetime = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=2)))
    day: date = date(2026, 1, 2)
    span: timedelta = timedelta(hours=25)
    price: Decimal = Decimal("10.50")
    id: UUID = UUID("00000000-0000-0000-0000-00000000000A")
    raw: bytes = b"abc"
    binary: Base64Bytes = b"/wA="
    tags: frozenset[str] = frozenset({"b", "a"})
    colour: Colour = Colour.RED
    path: Path = Path("a/b")
    kind: Literal["x"] = "x"
    zero: float = -0.0
    pair: tuple[int, str] = (1, "a")
    moments: dict[datetime, int] = {datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2))): 1}
