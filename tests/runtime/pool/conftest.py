"""Pools of real processes, each with a mark in its children's environment by which a test finds all that is left of it."""

import os
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

pytest.importorskip("pydantic", reason="the runtime's tests need the extra [worker]")

from guardrails.runtime.pool.warm import Pool
from tests.runtime.pool.processes import MARK, living

Pools = Callable[..., Pool]


@pytest.fixture
def mark() -> str:
    return uuid4().hex


@pytest.fixture
def pools(mark: str) -> Iterator[Pools]:
    """Makes pools of the misbehaving application; nothing of them is alive after the test."""
    made: list[Pool] = []

    def make(app: str = "tests.runtime.pool.nasty", spares: int = 0, **options: Any) -> Pool:
        made.append(Pool(app, environ={**os.environ, MARK: mark}, spares=spares, **options))
        return made[-1]

    yield make
    for pool in made:
        pool.close()
    assert living(mark) == {}


@pytest.fixture
def pool(pools: Pools) -> Pool:
    return pools()
