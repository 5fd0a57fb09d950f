"""Helpers for the tests of applications: run bodies inline, look at what was queued, bring about what production brings about.

```python
import pytest
from guardrails.runtime import testing
from app import Charge, charge

@pytest.fixture(autouse=True)
def jobs():
    with testing.isolated():            # a database of its own for each test
        yield

def test_charging_twice_charges_once():
    testing.run_twice(charge, Charge(order_id="7"))
    assert payments("7") == 1

def test_an_order_queues_its_charge(client):
    client.post("/orders", json={"id": "7"})
    testing.assert_enqueued(charge, Charge(order_id="7"))
    assert [job.status for job in testing.drain()] == ["done"]
```
No plugin is needed, and no worker: everything runs in the test's own process.
"""

from guardrails.runtime.testing.faults import crash_attempts, fail_attempts
from guardrails.runtime.testing.inline import Ran, run, run_twice
from guardrails.runtime.testing.isolation import isolated
from guardrails.runtime.testing.queued import Enqueued, assert_enqueued, enqueued
from guardrails.runtime.testing.strays import no_stray_spawns
from guardrails.runtime.testing.upstream import Tick, advance, replay, ticks
from guardrails.runtime.testing.working import drain

__all__ = [
    "Enqueued",
    "Ran",
    "Tick",
    "advance",
    "assert_enqueued",
    "crash_attempts",
    "drain",
    "enqueued",
    "fail_attempts",
    "isolated",
    "no_stray_spawns",
    "replay",
    "run",
    "run_twice",
    "ticks",
]
