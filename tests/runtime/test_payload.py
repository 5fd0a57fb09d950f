from __future__ import annotations

import hashlib
import sqlite3
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    Secret,
    SecretBytes,
    SecretStr,
    SerializeAsAny,
    computed_field,
    field_serializer,
    field_validator,
)

from guardrails.runtime.errors import PayloadRefused
from guardrails.runtime.payload import LIMIT, Shape, digest
from tests.runtime.payloads import Anything, Charge, Row, Whole, text_of


def test_a_dict_is_refused_with_the_way_out() -> None:
    with pytest.raises(PayloadRefused, match=r"^The payload is a dict: build the model, Charge\(\.\.\), so that it is checked"):
        Shape(Charge).dump({"order_id": "7"})


@pytest.mark.parametrize("value", [None, "7", 7, [Charge(order_id="7")], Anything(given=1), Charge])
def test_anything_but_an_instance_of_the_model_is_refused(value: Any) -> None:
    with pytest.raises(PayloadRefused, match=r"^The payload is a \w+: build a Charge\.$"):
        Shape(Charge).dump(value)


class Urgent(Charge):
    deadline: date = date(2026, 1, 1)


class Cart(BaseModel):
    charges: list[Charge] = []


class Known(BaseModel):
    charge: Urgent | Charge


def test_a_subclass_is_refused_since_its_own_fields_would_be_lost() -> None:
    with pytest.raises(
        PayloadRefused, match=r"^The payload is a Urgent, a subclass whose own fields the worker would not get: build a Charge\.$"
    ):
        Shape(Charge).dump(Urgent(order_id="7"))
    with pytest.raises(
        PayloadRefused, match=r"^Cart\.charges\[0\] is a Urgent, of which deadline would be lost: name Urgent as the field's type\.$"
    ):
        Shape(Cart).dump(Cart(charges=[Urgent(order_id="7")]))
    assert '"deadline":"2026-01-01"' in Shape(Known).dump(Known(charge=Urgent(order_id="7")))


def test_a_subclass_that_is_written_whole_but_read_as_its_base_is_refused() -> None:
    class Any_(BaseModel):
        charge: SerializeAsAny[Charge]

    with pytest.raises(PayloadRefused, match=r"^Field charge of Any_ would change on its way to the worker"):
        Shape(Any_).dump(Any_(charge=Urgent(order_id="7")))


class Keyed(NamedTuple):
    inner: Any


@dataclass
class Held:
    inner: Any


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")


def _places() -> dict[str, tuple[Callable[[Any], Any], str]]:
    return {
        "itself": (lambda bad: bad, ""),
        "in a list": (lambda bad: [1, bad], r"\[1\]"),
        "in a tuple": (lambda bad: (bad,), r"\[0\]"),
        "in a deque": (lambda bad: deque([bad]), r"\[0\]"),
        "in a dict": (lambda bad: {"a": {"b": bad}}, r"\['a'\]\['b'\]"),
        "in a dataclass": (lambda bad: Held(bad), r"\.inner"),
        "in a named tuple": (lambda bad: Keyed(bad), r"\[0\]"),
        "in a model": (lambda bad: Anything(given=bad), r"\.given"),
        "in an extra field": (lambda bad: Extra(more=bad), r"\.more"),
    }


BAD: dict[str, tuple[Any, str]] = {
    "a mapped row": (Row(id=7), r" is a SQLAlchemy row \(Row\), and rows do not travel: send its id and load it in the job\.$"),
    "SecretStr": (SecretStr("hunter2"), r" is a SecretStr, and secrets do not travel: queue SecretRef\('name'\) .*\.$"),
    "SecretBytes": (SecretBytes(b"hunter2"), r" is a SecretBytes, and secrets"),
    "Secret": (Secret[int](7), r" is a Secret.*, and secrets"),
    "NaN": (float("nan"), r" is nan, which JSON cannot hold: send a finite number or None\.$"),
    "infinity": (float("-inf"), r" is -inf, which JSON cannot hold"),
    "a Decimal NaN": (Decimal("NaN"), r" is NaN, which JSON cannot hold"),
    "a time without a zone": (datetime(2026, 1, 2), r" is a datetime without a time zone, .* such as datetime\.now\(UTC\)\.$"),
    "a generator": ((number for number in [1]), r" is a generator, which is used up when it is read once: send a list\.$"),
}


@pytest.mark.parametrize("place", _places())
@pytest.mark.parametrize("what", BAD)
def test_a_value_that_must_not_travel_is_refused_wherever_it_stands(what: str, place: str) -> None:
    bad, sentence = BAD[what]
    wrap, path = _places()[place]
    with pytest.raises(PayloadRefused, match=rf"^Anything\.given{path}{sentence}") as refused:
        text_of(wrap(bad))
    assert "hunter2" not in str(refused.value)


def test_rows_of_plain_sql_are_refused() -> None:
    with sa.create_engine("sqlite://").connect() as connection:
        row = connection.execute(sa.text("select 7 as id")).one()
    for value in (row, row._mapping):
        with pytest.raises(PayloadRefused, match=r"^Anything\.given is a SQLAlchemy row"):
            text_of(value)
    raw = sqlite3.connect(":memory:")
    raw.row_factory = sqlite3.Row
    with pytest.raises(PayloadRefused, match=r"^Anything\.given is a SQLite row"):
        text_of(raw.execute("select 7").fetchone())


def test_a_bad_key_of_a_dict_is_refused() -> None:
    with pytest.raises(PayloadRefused, match=r"^Anything\.given \(a key of it\) is nan"):
        text_of({float("nan"): 1})


def test_a_value_that_holds_itself_is_refused() -> None:
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises(PayloadRefused, match=r"^Anything\.given\[0\] holds itself, so it has no end: send ids in place of objects\.$"):
        text_of(ring)


def test_the_same_value_twice_is_no_ring() -> None:
    shared = [1]
    assert text_of([shared, shared]) == '{"given":[[1],[1]]}'


def test_private_and_excluded_attributes_do_not_travel_and_are_not_judged() -> None:
    class Kept(BaseModel):
        id: int
        row: Any = Field(default=None, exclude=True)
        _row: Any = PrivateAttr(default=None)

    kept = Kept(id=7, row=Row(id=7))
    kept._row = Row(id=7)
    assert Shape(Kept).dump(kept) == '{"id":7}'


def test_what_was_changed_after_validation_is_validated_again() -> None:
    charge = Charge(order_id="7")
    charge.order_id = None  # type: ignore[assignment]
    with pytest.raises(PayloadRefused, match=r"^Charge does not hold what it declares: order_id: Input should be a valid string\.$"):
        Shape(Charge).dump(charge)
    with pytest.raises(PayloadRefused, match=r"^Charge does not hold what it declares: order_id: Field required\.$"):
        Shape(Charge).dump(Charge.model_construct(amount=Decimal(1)))


def test_a_value_of_a_wrong_type_that_would_be_coerced_in_the_worker_is_refused() -> None:
    class Count(BaseModel):
        number: int

    count = Count(number=1)
    count.number = "5"  # type: ignore[assignment]
    with pytest.raises(PayloadRefused, match=r"^Field number of Count would change on its way to the worker: build the model"):
        Shape(Count).dump(count)


def test_an_int_in_a_float_field_is_written_as_the_worker_will_read_it() -> None:
    class Weight(BaseModel):
        kilos: float

    weight = Weight(kilos=1)
    weight.kilos = 1
    assert Shape(Weight).dump(weight) == Shape(Weight).dump(Weight(kilos=1.0)) == '{"kilos":1.0}'


def test_a_validator_that_changes_the_value_each_time_is_refused() -> None:
    class Growing(BaseModel):
        name: str

        @field_validator("name")
        @classmethod
        def grow(cls, name: str) -> str:
            return name + "!"

    with pytest.raises(PayloadRefused, match=r"^Field name of Growing would change on its way"):
        Shape(Growing).dump(Growing(name="a"))


def test_what_json_cannot_write_is_refused_with_the_fields_name() -> None:
    for value, error in ((object(), "PydanticSerializationError"), (b"\xff\xfe", "UnicodeDecodeError"), ("\ud800", "Unicode")):
        with pytest.raises(PayloadRefused, match=rf"^Field given of Anything cannot be written as JSON \({error}\w*\): use a type that .*"):
            text_of(value)


def test_keys_that_become_one_in_json_are_refused() -> None:
    with pytest.raises(
        PayloadRefused, match=r"^Anything\.given has keys that are the same in JSON, such as 1 and '1': use keys of one type\.$"
    ):
        text_of({1: "a", "1": "b"})


class Document(BaseModel):
    name: str
    body: str
    tags: list[str] = []


def test_a_payload_over_the_limit_names_its_largest_field_and_the_remedy() -> None:
    shape = Shape(Document)
    fits = LIMIT - len(shape.dump(Document(name="a", body="")))
    assert len(shape.dump(Document(name="a", body="x" * fits)).encode()) == LIMIT
    with pytest.raises(
        PayloadRefused,
        match=r"^Document is 65,537 bytes of JSON, over 65,536, and its field body alone is 65,\d{3}: "
        r"keep that with runtime\.blobs\.put\(\.\.\) and queue the BlobRef\.$",
    ):
        shape.dump(Document(name="a", body="x" * (fits + 1)))


def test_the_limit_counts_bytes_and_not_characters() -> None:
    with pytest.raises(PayloadRefused, match="over 65,536, and its field tags alone"):
        Shape(Document).dump(Document(name="a", body="", tags=["é" * 40_000]))


def test_a_payload_that_is_nested_too_deep_is_refused_and_not_a_crash() -> None:
    deep: Any = 1
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    with pytest.raises(PayloadRefused, match="nested too deep"):
        text_of(deep)


# the one text


def test_each_type_is_written_in_one_fixed_way() -> None:
    text = Shape(Whole).dump(Whole(binary=b"/wA="))
    assert text == (
        '{"binary":"/wA=","colour":"red","day":"2026-01-02","id":"00000000-0000-0000-0000-00000000000a","kind":"x",'
        '"moments":{"2026-01-01T22:00:00Z":1},"pair":[1,"a"],"path":"a/b","price":"10.5","raw":"abc","span":"P1DT1H",'
        '"tags":["a","b"],"text":"é\\u0000\\n","when":"2026-01-02T01:04:05.000006Z","zero":0.0}'
    )
    assert Shape(Whole).load(text, 1) == Whole(binary=b"/wA=")


def test_bytes_that_are_no_text_travel_where_the_model_says_base64() -> None:
    class Raw(BaseModel):
        model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
        raw: bytes

    assert Shape(Raw).load(Shape(Raw).dump(Raw(raw=b"\xff\x00")), 1) == Raw(raw=b"\xff\x00")


@pytest.mark.parametrize(("one", "other"), [("1.50", "1.5"), ("1E+3", "1000"), ("-0", "0.00"), ("1" * 60 + ".10", "1" * 60 + ".1")])
def test_equal_decimals_have_one_text_and_lose_no_digit(one: str, other: str) -> None:
    shape = Shape(Charge)
    text = shape.dump(Charge(order_id="7", amount=Decimal(one)))
    assert text == shape.dump(Charge(order_id="7", amount=Decimal(other)))
    assert shape.load(text, 1) == Charge(order_id="7", amount=Decimal(one))


def test_a_serializer_of_ones_own_is_respected() -> None:
    class Day(BaseModel):
        when: datetime

        @field_serializer("when")
        def plain(self, when: datetime) -> str:
            return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")

    text = Shape(Day).dump(Day(when=datetime(2026, 1, 2, 3, 4, tzinfo=UTC)))
    assert Shape(Day).load(text, 1) == Day(when=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))


def test_fields_travel_by_name_whatever_their_aliases() -> None:
    class Aliased(BaseModel):
        order_id: str = Field(validation_alias=AliasChoices("orderId", "order"), serialization_alias="Order")
        inner: list[Aliased] = Field(default=[], alias="children")

        @computed_field  # type: ignore[prop-decorator]
        @property
        def shown(self) -> str:
            return self.order_id.upper()

    shape = Shape(Aliased)
    value = Aliased.model_validate({"orderId": "7", "children": [{"order": "8"}]})
    assert shape.dump(value) == '{"inner":[{"inner":[],"order_id":"8"}],"order_id":"7"}'
    assert shape.load(shape.dump(value), 1) == value


def test_the_digest_is_the_sha256_of_thetext_of() -> None:
    assert digest('{"é":1}') == hashlib.sha256('{"é":1}'.encode()).hexdigest()
