from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, NamedTuple, NewType, TypeVar

import pytest
import sqlalchemy as sa
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    Secret,
    SecretBytes,
    SecretStr,
    SerializeAsAny,
)
from typing_extensions import TypeAliasType, TypedDict

from guardrails.runtime.errors import DeclarationError, PayloadRefused
from guardrails.runtime.payload import Shape
from tests.runtime.payloads import Charge, Row, loose, text_of


@dataclass
class WithSecret:
    token: SecretStr


class TypedWithSecret(TypedDict, total=False):
    token: SecretStr


class NamedWithSecret(NamedTuple):
    token: SecretBytes


class ModelWithSecret(BaseModel):
    token: SecretStr


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class SecretTree(BaseModel):
    children: list[SecretTree] = []
    token: SecretStr | None = None


Item = TypeVar("Item")
Bound = TypeVar("Bound", bound=ModelWithSecret)


class Box(BaseModel, Generic[Item]):
    item: Item


@pytest.mark.parametrize(
    "annotation",
    [
        SecretStr,
        SecretBytes,
        Secret[int],
        SecretStr | None,
        list[SecretStr],
        dict[str, SecretBytes],
        dict[str, list[tuple[int, SecretStr | None]]],
        Annotated[SecretStr, Field(min_length=3)],
        WithSecret,
        list[TypedWithSecret],
        NamedWithSecret | None,
        ModelWithSecret,
        SecretTree,
        Box[ModelWithSecret],
        Box[Bound],
        NewType("Key", SecretStr),
        TypeAliasType("Keys", list[SecretStr]),
        SerializeAsAny[ModelWithSecret],
    ],
    ids=str,
)
def test_a_secret_type_is_refused_at_the_declaration_however_deep(annotation: Any) -> None:
    with pytest.raises(DeclarationError, match=r"^Loose\.field.* is a Secret\w*, and secrets do not travel: make it a SecretRef, .*$"):
        Shape(loose(annotation))


def test_the_sentence_about_a_secret_says_where_it_is() -> None:
    with pytest.raises(DeclarationError, match=r"^Loose\.field\.token is a SecretStr, .* resolve\(\) in the job\.$"):
        Shape(loose(dict[str, ModelWithSecret]))


def _stand_in(module: str, name: str, bases: tuple[type, ...] = ()) -> type:
    """A class of a library that is not installed here, by its module and name."""
    return type("Order", (type(name, bases, {"__module__": module, "__qualname__": name}),), {})


LIBRARIES = {
    "Django": ("django.db.models.base", "Model"),
    "Peewee": ("peewee", "Model"),
    "Tortoise": ("tortoise.models", "Model"),
    "Pony": ("pony.orm.core", "Entity"),
    "MongoEngine": ("mongoengine.document", "Document"),
    "Piccolo": ("piccolo.table", "Table"),
    "asyncpg": ("asyncpg.protocol.record", "Record"),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_row_of_another_library_is_refused_as_a_field_and_as_a_value(library: str) -> None:
    order = _stand_in(*LIBRARIES[library])
    with pytest.raises(DeclarationError, match=rf"^Loose\.field is an? {library} \w+ \(Order\), and rows do not travel: send its id .*\.$"):
        Shape(loose(order | None))
    with pytest.raises(PayloadRefused, match=rf"^Anything\.given\[0\] is an? {library} \w+ \(Order\), and rows do not travel"):
        text_of([order()])


@pytest.mark.parametrize("annotation", [Row, list[Row], Row | None, dict[str, Row], sqlite3.Row, sa.Row], ids=str)
def test_a_row_type_is_refused_at_the_declaration(annotation: Any) -> None:
    with pytest.raises(DeclarationError, match=r"^Loose\.field is a (SQLAlchemy|SQLite) row \(Row\), and rows do not travel"):
        Shape(loose(annotation))


def test_a_model_that_is_itself_a_table_is_refused() -> None:
    class Table(BaseModel):
        id: int

    Table._sa_class_manager = object()  # what SQLModel's table=True leaves on the class
    with pytest.raises(DeclarationError, match=r"^Table is a SQLAlchemy row \(Table\)"):
        Shape(Table)


def test_arbitrary_types_are_refused_also_in_a_nested_model() -> None:
    class Loose(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        connection: sqlite3.Connection

    class Around(BaseModel):
        inner: list[Loose]

    with pytest.raises(DeclarationError, match=r"^Around\.inner: Loose sets arbitrary_types_allowed, .*name types that pydantic knows\.$"):
        Shape(Around)


def test_a_row_may_be_the_source_of_a_payload_but_not_its_value() -> None:
    class Order(BaseModel):
        model_config = ConfigDict(from_attributes=True)
        id: int

    assert Shape(Order).dump(Order.model_validate(Row(id=7))) == '{"id":7}'
    with pytest.raises(
        PayloadRefused, match=r"^The payload is Row, a SQLAlchemy row: queue its id in a Order, and read the row in the job\.$"
    ):
        Shape(Order).dump(Row(id=7))


class Undefined(BaseModel):
    later: NotThereYet  # type: ignore[name-defined]  # noqa: F821


@dataclass
class Unfound:
    later: NotThereYet  # type: ignore[name-defined]  # noqa: F821


class Roots(RootModel[list[int]]):
    pass


class Calls(BaseModel):
    call: Callable[[], int]


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (dict, r"^A payload is a pydantic model of your own \(.*\), not <class 'dict'>\.$"),
        (BaseModel, r"^A payload is a pydantic model of your own"),
        (Charge(order_id="7"), r"^A payload is a pydantic model of your own"),
        (Roots, r"^Roots is a RootModel, and a payload has named fields, so that it can grow: make it a field\.$"),
        (Undefined, r"^Undefined names a type that is not defined yet: define it before the job is declared\.$"),
        (Calls, r"^Calls has what JSON cannot hold \(call\): name types that pydantic writes as JSON\.$"),
    ],
)
def test_what_is_no_model_of_named_fields_is_refused(model: Any, sentence: str) -> None:
    with pytest.raises(DeclarationError, match=sentence):
        Shape(model)


@pytest.mark.parametrize(
    ("version", "upcast", "sentence"),
    [
        (0, {}, r"^The version of Charge must be a whole number from 1, not 0\.$"),
        (-1, {}, "whole number"),
        (True, {}, "whole number"),
        ("2", {}, "whole number"),
        (1.0, {}, "whole number"),
        (3, {}, r"missing: 1, 2\.$"),
        (3, {1: dict}, r"missing: 2\.$"),
        (3, {2: dict}, r"missing: 1\.$"),
        (2, {1: dict, 2: dict}, r"^Charge has version 2, so there is nothing to upcast from 2: raise the version\.$"),
        (1, {0: dict}, r"nothing to upcast from 0"),
        (2, {1: "old"}, r"^upcast\[1\] of Charge must be a function from the dict of version 1 to that of 2\.$"),
    ],
)
def test_versions_need_an_upcaster_from_each_older_one(version: Any, upcast: Any, sentence: str) -> None:
    with pytest.raises(DeclarationError, match=sentence):
        Shape(Charge, version, upcast)
