from __future__ import annotations

import pytest

from guardrails import stopwatch
from guardrails.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that ticks once whenever it is looked at."""
    ticks: list[float] = [0.0]

    def look() -> float:
        ticks[0] += 1.0
        return ticks[0]

    monkeypatch.setattr(stopwatch.time, "perf_counter", look)
    return ticks


def test_a_stage_counts_its_own_time_only(clock: list[float]) -> None:
    watch = Stopwatch()
    with watch.stage("outer"):
        with watch.stage("inner"):
            pass
        with watch.stage("inner"):
            pass
    assert watch.seconds == {"outer": 3.0, "inner": 2.0}


def test_a_stage_that_fails_is_counted(clock: list[float]) -> None:
    watch = Stopwatch()
    with pytest.raises(ValueError, match="no"), watch.stage("outer"):
        raise ValueError("no")
    assert watch.seconds == {"outer": 1.0}


def test_calls_of_a_timed_function_are_counted(clock: list[float]) -> None:
    watch = Stopwatch()
    double = watch.timed("double", lambda number: number * 2)
    assert [double(1), double(2)] == [2, 4]
    assert watch.seconds == {"double": 2.0}
