"""Over random payloads: equal ones have one text, each comes back equal, and no order of keys or sets matters."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from guardrails.runtime.errors import PayloadRefused, RuntimeFault
from guardrails.runtime.payload import Shape, digest

ZONES = [UTC, timezone(timedelta(hours=5, minutes=45)), ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Apia")]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
MICROSECONDS = st.integers(-(2**51), 2**52)  # the years 1898 to 2112
MOMENTS = st.builds(lambda at, zone: (EPOCH + timedelta(microseconds=at)).astimezone(zone), MICROSECONDS, st.sampled_from(ZONES))


class Tag(BaseModel):
    model_config = ConfigDict(frozen=True)
    name: str
    at: datetime


@dataclass(frozen=True)
class Point:
    x: Decimal
    when: datetime


class Payload(BaseModel):
    text: str
    number: int
    ratio: float
    price: Decimal
    id: UUID
    raw: str
    when: datetime
    days: set[date]
    moments: frozenset[datetime]
    tags: set[Tag]
    points: list[Point]
    names: dict[str, dict[str, float | None]]
    calendar: dict[datetime, int]
    pairs: set[tuple[int, str]]
    prices: set[Decimal]
    given: Any


TAGS = st.builds(Tag, name=TEXTS, at=MOMENTS)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
PRICES = st.builds(lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**18), 10**18), st.integers(-20, 20))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)
PAYLOADS = st.builds(
    Payload,
    text=TEXTS,
    number=st.integers(),
    ratio=FLOATS,
    price=PRICES,
    id=st.uuids(),
    raw=TEXTS,
    when=MOMENTS,
    days=st.sets(st.dates(), max_size=3),
    moments=st.frozensets(MOMENTS, max_size=3),
    tags=st.sets(TAGS, max_size=3),
    points=st.lists(st.builds(Point, x=PRICES, when=MOMENTS), max_size=3),
    names=st.dictionaries(TEXTS, st.dictionaries(TEXTS, st.none() | FLOATS, max_size=3), max_size=3),
    calendar=st.dictionaries(MOMENTS, st.integers(), max_size=3),
    pairs=st.sets(st.tuples(st.integers(), TEXTS), max_size=3),
    prices=st.sets(PRICES, max_size=3),
    given=JSON,
)
SHAPE = Shape(Payload)


def _plain(value: Any) -> Any:
    """What two equal payloads have in common, whatever their order, zones and exponents: times as moments, Decimals as fractions."""
    if isinstance(value, datetime):
        return "moment", value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, Decimal):
        return "number", Fraction(value)
    if isinstance(value, BaseModel | Point):
        return type(value).__name__, _plain(vars(value))
    if isinstance(value, dict):
        return frozenset((_plain(key), _plain(item)) for key, item in value.items())
    if isinstance(value, set | frozenset):
        return frozenset(map(_plain, value))
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PAYLOADS)
def test_a_payload_comes_back_equal(payload: Payload) -> None:
    text = SHAPE.dump(payload)
    back = SHAPE.load(text, 1)
    assert isinstance(back, Payload)
    assert _plain(back) == _plain(payload)
    assert SHAPE.dump(back) == text == SHAPE.lift(text, 1)


def _moved(value: Any, rng: random.Random) -> Any:
    """An equal value, put together in another order, with its times told in other zones and its Decimals with other exponents."""
    if isinstance(value, datetime):
        return value.astimezone(rng.choice(ZONES))
    if isinstance(value, Decimal):
        sign, digits, exponent = value.as_tuple()
        return Decimal((sign, (*digits, 0), int(exponent) - 1))
    if isinstance(value, Tag):
        return Tag(name=value.name, at=_moved(value.at, rng))
    if isinstance(value, Point):
        return Point(x=_moved(value.x, rng), when=_moved(value.when, rng))
    if isinstance(value, dict):
        return {_moved(key, rng): _moved(item, rng) for key, item in _shuffled(value.items(), rng)}
    if isinstance(value, set | frozenset):
        return type(value)(_moved(item, rng) for item in _shuffled(value, rng))
    if isinstance(value, list | tuple):
        return type(value)(_moved(item, rng) for item in value)
    return value


def _shuffled(items: Iterable[Any], rng: random.Random) -> list[Any]:
    listed = list(items)
    rng.shuffle(listed)
    return listed


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PAYLOADS, st.randoms(use_true_random=False))
def test_equal_payloads_have_one_text(payload: Payload, rng: random.Random) -> None:
    twin = Payload.model_construct(**{name: _moved(value, rng) for name, value in _shuffled(vars(payload).items(), rng)})
    assert _plain(twin) == _plain(payload)
    assert SHAPE.dump(twin) == SHAPE.dump(payload)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PAYLOADS, PAYLOADS, st.sampled_from(sorted(Payload.model_fields.keys() - {"given"})))
def test_payloads_that_differ_in_one_field_have_different_texts(one: Payload, drawn: Payload, name: str) -> None:
    other = one.model_copy(update={name: getattr(drawn, name)})
    assert (SHAPE.dump(one) == SHAPE.dump(other)) == (_plain(one) == _plain(other))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PAYLOADS)
def test_the_text_is_sorted_json_without_spaces(payload: Payload) -> None:
    text = SHAPE.dump(payload)
    assert json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text


class Set(BaseModel):
    given: Any


@given(st.recursive(st.sampled_from([float("nan"), float("inf"), Decimal("sNaN")]), lambda inner: st.lists(inner, min_size=1, max_size=2)))
def test_no_number_that_is_none_ever_passes(value: Any) -> None:
    with pytest.raises(PayloadRefused, match="which JSON cannot hold"):
        Shape(Set).dump(Set(given=value))


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")) | JSON.map(json.dumps), st.integers(-2, 3))
def test_any_stored_text_is_read_or_told_in_a_sentence(text: str, version: int) -> None:
    shape = Shape(Tag, 2, {1: lambda old: {**old, "name": old["title"]}})
    starts = ("A stored payload of ", "This payload of Tag has version", "The upcaster of Tag from version 1 to 2 failed")
    sentence = ""
    try:
        shape.load(text, version)
    except RuntimeFault as fault:
        sentence = str(fault)
    assert sentence.startswith(starts)
    assert isinstance(shape.redacted(text, version), dict)


PROGRAM = """
import sys
from tests.runtime.test_payload_properties import Set
from guardrails.runtime.payload import Shape
words = sys.argv[1:]
print(Shape(Set).dump(Set(given={"words": set(words), "nested": {word: frozenset(words) for word in words}})))
"""


def test_another_process_with_other_hashes_writes_the_same_text() -> None:
    words = [f"word{number}" for number in range(12)]
    texts = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM, *order], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed, order in (("1", words), ("2", words[::-1]), ("3", words))
    }
    assert len(texts) == 1
    assert digest(texts.pop())
