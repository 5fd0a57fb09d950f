"""How an application tests its jobs, with no plugin and no worker: `pytest tested.py`."""

from collections.abc import Iterator

import keys
import pytest
import steps
from guardrails import runtime
from guardrails.runtime import testing


@pytest.fixture(autouse=True)
def jobs() -> Iterator[None]:
    with testing.isolated():
        yield


def test_a_body() -> None:
    assert testing.run(keys.charge, keys.Charge(order_id="7", cents=100)).result == 100


def test_a_checkout_sent_twice_is_charged_once() -> None:
    assert keys.checkout("7", 100) == keys.checkout("7", 100)
    testing.assert_enqueued(keys.charge, key="7", times=1)


def test_an_outage_is_survived_and_stock_is_reserved_once() -> None:
    steps.fulfil.enqueue(steps.Order(order_id="7"))
    with testing.fail_attempts(steps.fulfil, 1, runtime.Transient("outage")), testing.no_stray_spawns():
        (job,) = testing.drain()
    assert (job.status, job.runs) == ("done", 1)
