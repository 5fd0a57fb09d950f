"""Whatever a job does, it is dead with all that it started once its pool says so."""

import threading
import time

import pytest
from tests.runtime.pool.processes import begin, living, outcome, task

from guardrails.runtime.pool.frames import Clean, Finished
from guardrails.runtime.pool.parent import Gone
from guardrails.runtime.pool.warm import Pool

HOLD_ON = [
    "ignores_signals", "computes", "matches", "holds_the_lock", "stops", "detaches", "multiplies", "runs_away", "stops_its_guardian",
]  # fmt: skip


def below(pool: Pool, mark: str) -> dict[int, str]:
    """What is alive of a pool besides its idle spare."""
    pool.close()
    return living(mark)


@pytest.mark.parametrize("name", HOLD_ON)
def test_nothing_of_a_job_is_alive_after_its_limit(name: str, pools, mark: str) -> None:
    pool = pools(spares=0)
    child = pool.take()
    events = begin(child, name, limit=2.0)
    last = list(events)[-1]
    assert isinstance(last, Gone)
    assert last.why == "limit"
    assert living(mark) == {}


@pytest.mark.parametrize("name", [*HOLD_ON, "sleeps"])
def test_nothing_of_a_job_is_alive_after_a_kill(name: str, pools, mark: str) -> None:
    child = pools(spares=0).take()
    events = begin(child, name)
    killer = threading.Thread(target=child.kill)
    killer.start()
    last = list(events)[-1]
    assert living(mark) == {}
    killer.join()
    assert isinstance(last, Gone)
    assert last.why in ("kill", "guardian")
    assert not child.alive
