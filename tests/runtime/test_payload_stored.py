from __future__ import annotations

import json
from typing import Annotated, Any

import jsonschema
import pytest
from pydantic import (
    BaseModel,
    Field,
)

from guardrails.runtime.errors import NewerVersion, PayloadRefused
from guardrails.runtime.payload import PayloadUnreadable, Shape
from guardrails.runtime.secret import Sensitive
from tests.runtime.payloads import Charge, Whole


def _split_name(old: dict[str, Any]) -> dict[str, Any]:
    first, last = old.pop("name").split(" ")
    return {**old, "first": first, "last": last}


class Person(BaseModel):
    first: str
    last: str
    member: bool
    tags: set[str] = set()


PERSON = Shape(Person, 3, {1: _split_name, 2: lambda old: {**old, "member": False}})


def test_old_payloads_go_through_each_upcaster_in_turn() -> None:
    assert PERSON.load('{"name":"Ada Lovelace","tags":["b","a"]}', 1) == Person(first="Ada", last="Lovelace", member=False, tags={"a", "b"})
    assert PERSON.load('{"first":"Ada","last":"Lovelace"}', 2) == Person(first="Ada", last="Lovelace", member=False)


def test_a_lifted_payload_is_the_text_that_this_version_writes() -> None:
    new = PERSON.dump(Person(first="Ada", last="Lovelace", member=False, tags={"b", "a"}))
    assert PERSON.lift('{"tags":["b","a"],"name":"Ada Lovelace"}', 1) == new
    assert PERSON.lift('{"tags":["b","a"],"member":false,"last":"Lovelace","first":"Ada"}', 3) == new


def test_a_field_that_came_with_a_default_does_not_make_old_rows_differ() -> None:
    class Grown(Charge):
        note: str = ""

    assert Shape(Grown).lift(Shape(Charge).dump(Charge(order_id="7")), 1) == Shape(Grown).dump(Grown(order_id="7"))


def test_a_newer_version_is_told_with_both_numbers() -> None:
    with pytest.raises(
        NewerVersion, match=r"^This payload of Person has version 4, and this release knows up to 3: deploy the newer release"
    ):
        PERSON.load('{"first":"a","last":"b","member":true}', 4)
    with pytest.raises(NewerVersion):
        PERSON.lift("{}", 4)


@pytest.mark.parametrize("version", [0, -1])
def test_a_version_that_never_was_is_unreadable(version: int) -> None:
    with pytest.raises(PayloadUnreadable, match=rf"has version {version}, and there is no upcaster from it\.$"):
        PERSON.load("{}", version)


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[" * 100_000, '{"a":1}x', "\x00"])
def test_a_damaged_row_is_unreadable(text: str) -> None:
    for version in (1, 3):
        with pytest.raises(
            PayloadUnreadable, match=r"^A stored payload of Person is no JSON: its row was damaged or written by something else\.$"
        ):
            PERSON.load(text, version)


@pytest.mark.parametrize("text", ["[]", "null", "7", '"text"'])
def test_a_row_that_is_no_object_is_unreadable(text: str) -> None:
    with pytest.raises(PayloadUnreadable, match="is no JSON object"):
        PERSON.load(text, 3)


def test_a_row_that_does_not_fit_the_model_says_which_fields_and_not_their_values() -> None:
    with pytest.raises(PayloadUnreadable) as refused:
        PERSON.load('{"first":"Ada","last":["private"]}', 3)
    assert str(refused.value) == (
        "A stored payload of version 3 is no Person of version 3 (last: Input should be a valid string; member: Field required): "
        "mend the upcaster, or raise the job's version and write one."
    )
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_an_upcaster_that_fails_is_named_and_its_traceback_kept_apart() -> None:
    with pytest.raises(PayloadUnreadable) as refused:
        PERSON.load('{"first":"Ada"}', 1)
    assert str(refused.value) == "The upcaster of Person from version 1 to 2 failed with KeyError ('name'): mend it, and requeue the job."
    assert "in _split_name" in refused.value.detail


@pytest.mark.parametrize(
    ("result", "told"), [(None, "returned a NoneType in place of a dict"), ([1], "returned a list"), ({"a": {1}}, "TypeError")]
)
def test_an_upcaster_that_returns_something_else_is_told(result: Any, told: str) -> None:
    shape = Shape(Charge, 2, {1: lambda _old: result})
    with pytest.raises(
        PayloadUnreadable, match=rf"^The upcaster of Charge from version 1 to 2 .*{told}.*: mend it, and requeue the job\.$"
    ):
        shape.load("{}", 1)


def test_a_payload_from_outside_may_use_aliases_and_its_faults_hold_no_values() -> None:
    class Hook(BaseModel):
        order_id: str = Field(alias="orderId")
        card: Annotated[str, Sensitive] = Field(default="", max_length=4)

    shape = Shape(Hook)
    assert shape.parse(b'{"orderId":"7"}') == shape.parse('{"order_id":"7"}')
    for text in ('{"orderId":7,"card":"4242424242"}', "{", b"\xff"):
        with pytest.raises(PayloadRefused, match=r"^This is no Hook: .*\.$") as refused:
            shape.parse(text)
        assert "4242" not in str(refused.value)
        assert refused.value.__suppress_context__


def test_only_three_faults_are_told() -> None:
    with pytest.raises(PayloadRefused, match=r"^This is no Whole: .*; .*; .*; and 2 more\.$"):
        Shape(Whole).parse('{"text":1,"when":"x","day":"x","span":"x","price":"x"}')


def test_the_schema_has_the_version_and_holds_of_what_is_stored() -> None:
    schema = PERSON.schema()
    assert (schema["version"], schema["upcasts"], schema["title"]) == (3, [1, 2], "Person")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(PERSON.dump(Person(first="a", last="b", member=True))), schema)
    jsonschema.validate(json.loads(Shape(Whole).dump(Whole(binary=b"/wA="))), Shape(Whole).schema())
