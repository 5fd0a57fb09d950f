from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, Json, RootModel, field_serializer, field_validator
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from guardrails.runtime.errors import PayloadRefused
from guardrails.runtime.payload import Shape
from guardrails.runtime.secret import SecretRef, Sensitive
from tests.runtime.payloads import Base, Row, text_of


class Card(BaseModel):
    number: Annotated[str, Sensitive]
    brand: str = "visa"


@dataclass
class Holder:
    name: Annotated[str, Sensitive]
    country: str


class Address(TypedDict, total=False):
    street: Annotated[str, Sensitive]
    city: str


class Visit(NamedTuple):
    patient: Annotated[str, Sensitive]
    ward: str


class Patient(BaseModel):
    id: int
    card: Card | None = None
    cards: list[Card] = []
    by_name: dict[str, Card] = {}
    holder: Holder | None = None
    address: Address | None = None
    visit: Visit | None = None
    notes: list[Annotated[str, Sensitive]] = []
    phone: Annotated[str, Sensitive] | None = None
    pin: Annotated[int | None, Sensitive()] = None
    record: Annotated[dict[str, Any] | None, Field(description="all"), Sensitive] = None
    family: list[Patient] = []
    token: SecretRef | None = None


FULL = Patient(
    id=1,
    card=Card(number="4242-1"),
    cards=[Card(number="4242-2")],
    by_name={"a": Card(number="4242-3")},
    holder=Holder("Ada-4", "UK"),
    address={"street": "Road-5", "city": "York"},
    visit=Visit("Ada-6", "A"),
    notes=["note-7"],
    phone="0170-8",
    pin=90909,
    record={"deep": [{"x": "value-10"}]},
    family=[Patient(id=2, card=Card(number="4242-11"))],
    token=SecretRef("CLINIC_KEY"),
)


def test_sensitive_fields_are_redacted_wherever_they_are() -> None:
    shape = Shape(Patient)
    text = shape.dump(FULL)
    shown = shape.redacted(text)
    mark = "[redacted]"
    child = {
        **dict.fromkeys(("address", "holder", "phone", "pin", "record", "token", "visit")),
        "by_name": {},
        "cards": [],
        "family": [],
        "notes": [],
    }
    card = {"brand": "visa", "number": mark}
    assert shown == {
        "id": 1,
        "card": card,
        "cards": [card],
        "by_name": {"a": card},
        "holder": {"name": mark, "country": "UK"},
        "address": {"street": mark, "city": "York"},
        "visit": [mark, "A"],
        "notes": [mark],
        "phone": mark,
        "pin": mark,
        "record": mark,
        "family": [{"id": 2, "card": card, **child}],
        "token": {"secret": "CLINIC_KEY"},
    }
    assert set(shape.sensitive(text)) == {
        *("4242-1", "4242-2", "4242-3", "Ada-4", "Road-5", "Ada-6", "note-7", "0170-8", "90909", "value-10", "4242-11"),
    }
    assert shape.sensitive_names == {"number", "name", "street", "patient", "notes", "phone", "pin", "record"}


def test_a_union_of_a_sensitive_and_an_open_variant_is_redacted() -> None:
    class Shown(BaseModel):
        value: str

    class Hidden(BaseModel):
        value: Annotated[str, Sensitive]

    class Either(BaseModel):
        either: Shown | Hidden

    assert Shape(Either).redacted('{"either":{"value":"secret"}}') == {"either": {"value": "[redacted]"}}


def test_an_older_payload_is_redacted_as_the_present_one() -> None:
    shape = Shape(Card, 2, {1: lambda old: {"number": old["pan"]}})
    assert shape.redacted('{"pan":"4242"}', 1) == {"number": "[redacted]", "brand": "visa"}
    assert shape.sensitive('{"pan":"4242"}', 1) == ("4242",)


@pytest.mark.parametrize(("text", "version"), [('{"pan":"4242"}', 9), ('{"pan":"4242"}', 0), ('{"pan":"4242"}', 1)])
def test_a_payload_that_cannot_be_read_shows_its_keys_alone(text: str, version: int) -> None:
    shape = Shape(Card, 2, {1: lambda old: {"number": old["nothing"]}})
    assert shape.redacted(text, version) == {"pan": "[redacted]"}
    assert shape.sensitive(text, version) == ()


@pytest.mark.parametrize("text", ["{", "[1]", "null"])
def test_of_a_damaged_row_nothing_is_shown(text: str) -> None:
    assert Shape(Card).redacted(text) == {}


def test_faults_of_sensitive_fields_tell_their_place_alone() -> None:
    class Checked(BaseModel):
        cards: list[Card] = []
        number: Annotated[str, Sensitive] = ""

        @field_validator("number")
        @classmethod
        def luhn(cls, number: str) -> str:
            if number:
                raise ValueError(f"{number} is no card")
            return number

    shape = Shape(Checked)
    with pytest.raises(PayloadRefused, match=r"^This is no Checked: number: is not valid\.$"):
        shape.parse('{"number":"4242424242424242"}')
    with pytest.raises(PayloadRefused, match=r"^This is no Checked: cards\.0\.number: is not valid\.$"):
        shape.parse('{"cards":[{"number":["4242"]}]}')


def test_a_sensitive_field_is_marked_in_the_schema() -> None:
    assert Shape(Card).schema()["properties"]["number"]["writeOnly"] is True


def test_a_session_is_not_needed_to_see_that_a_value_is_a_row() -> None:
    engine = sa.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Row(id=1))
        session.flush()
        with pytest.raises(PayloadRefused, match="rows do not travel"):
            text_of(session.get(Row, 1))


def _numbers() -> Iterator[int]:
    yield 1


def test_a_field_that_pydantic_reads_lazily_is_refused() -> None:
    class Lazy(BaseModel):
        numbers: Iterable[int]

    with pytest.raises(PayloadRefused, match="used up when it is read once"):
        Shape(Lazy).dump(Lazy(numbers=_numbers()))


class Numbers(RootModel[dict[str, Annotated[str, Sensitive]]]):
    pass


class Wallet(BaseModel):
    model_config = ConfigDict(extra="allow")
    numbers: Numbers
    packed: Json[Card] | None = None
    told: Card | None = None

    @field_serializer("told")
    def as_text(self, told: Card | None) -> str | None:
        return told and told.number


def test_what_a_root_model_holds_is_redacted() -> None:
    text = Shape(Wallet).dump(Wallet(numbers=Numbers({"a": "4242-1"})))
    assert json.loads(text)["numbers"] == {"a": "4242-1"}
    assert Shape(Wallet).redacted(text) == {"numbers": {"a": "[redacted]"}, "packed": None, "told": None}
    assert Shape(Wallet).sensitive(text) == ("4242-1",)


def test_what_a_serializer_has_made_a_text_of_is_redacted_as_a_whole() -> None:
    shown = Shape(Wallet).redacted('{"numbers":{},"packed":"{\\"number\\":\\"4242\\"}","told":"4242","more":["4242"]}')
    assert shown == {"numbers": {}, "packed": "[redacted]", "told": "[redacted]", "more": "[redacted]"}


def test_the_sets_in_a_root_model_are_sorted() -> None:
    class Tags(RootModel[set[str]]):
        pass

    class Tagged(BaseModel):
        tags: Tags

    words = [f"word{number}" for number in range(9)]
    assert Shape(Tagged).dump(Tagged(tags=Tags(set(words)))) == json.dumps({"tags": words}, separators=(",", ":"))
