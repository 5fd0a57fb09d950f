"""The service on both databases."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

pytest.importorskip("prometheus_client", reason="the service's tests need the extra [worker]")

from tests.runtime.http.served import Served


@pytest.fixture
def serve(database: str) -> Iterator[Callable[..., Served]]:
    """Start a service with settings; it is stopped at the end."""
    running: list[Served] = []

    def start(**settings: Any) -> Served:
        running.append(Served(**settings))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    """A service."""
    return serve()


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client with a key."""
    with served.client() as client:
        yield client
