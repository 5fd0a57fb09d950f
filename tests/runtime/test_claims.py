"""How much a worker claims, and when it looks: without an engine."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from guardrails.runtime import claims
from guardrails.runtime.claims import Claims
from guardrails.runtime.declare import Queue

LONG = 30.0  # seconds: a wait that nothing ends


def work(held: Claims, hold: threading.Event, began: "SimpleQueue[bool] | None" = None) -> threading.Thread:
    def run() -> None:
        with held.slot() as free:
            if began is not None:
                began.put(free)
            if free:
                hold.wait()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def end(held: Claims, number: int) -> None:
    for _ in range(number):
        with held.slot():
            pass


def test_a_worker_at_rest_claims_its_slots() -> None:
    assert Claims(Queue("q", 4)).room() == 4


def test_held_claims_take_room_and_only_the_slots_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PATIENCE", LONG)
    held, hold, began = Claims(Queue("q", 2)), threading.Event(), SimpleQueue[bool]()
    threads = [work(held, hold, began) for _ in range(5)]
    until(lambda: held.held == 5)
    assert (began.get(), began.get(), held.room()) == (True, True, 0)
    assert began.empty()
    hold.set()
    for thread in threads:
        thread.join(LONG)
    assert (held.held, began.qsize()) == (0, 3)


def test_a_quick_worker_claims_ahead_what_it_has_just_done_and_never_more_than_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "QUICK", LONG)
    held = Claims(Queue("q", 4))
    end(held, 10)
    assert held.room() == 14
    end(held, 500)
    assert held.room() == 4 + claims.MOST_AHEAD


def test_a_slow_worker_claims_nothing_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "QUICK", 0.0)
    held = Claims(Queue("q", 4))
    end(held, 10)
    assert held.room() == 4


@pytest.mark.parametrize("queue", [Queue("q", 4, limit=8), Queue("q", 4, rate=(10, 1.0))], ids=["a limit over all workers", "a rate"])
def test_nothing_is_claimed_ahead_where_the_engine_counts_claims(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "QUICK", LONG)
    held = Claims(queue)
    end(held, 10)
    assert held.room() == 4


def test_a_look_comes_when_the_time_is_over_and_is_told_the_room() -> None:
    told: list[int] = []
    assert Claims(Queue("q", 3), told.append).wait(0.01) is False
    assert told == [3]


def test_a_look_comes_before_its_time_once_half_of_the_claims_are_done() -> None:
    held, hold = Claims(Queue("q", 2)), threading.Event()
    threads = [work(held, hold) for _ in range(2)]
    until(lambda: held.held == 2)
    looked = threading.Event()

    def wait() -> None:
        assert held.wait(10 * LONG) is False
        looked.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    hold.set()
    assert looked.wait(LONG)
    for thread in [*threads, waiting]:
        thread.join(LONG)


def test_a_claim_that_finds_no_slot_in_time_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PATIENCE", 0.01)
    held, hold, began = Claims(Queue("q", 1)), threading.Event(), SimpleQueue[bool]()
    work(held, hold, began)
    assert began.get() is True
    work(held, hold, began).join(LONG)
    assert (began.get(), held.held, held.room()) == (False, 1, 0)
    hold.set()


def test_the_end_of_claiming_ends_the_wait_and_gives_back_what_was_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "PATIENCE", LONG)
    held, hold, began = Claims(Queue("q", 1)), threading.Event(), SimpleQueue[bool]()
    work(held, hold, began)
    assert began.get() is True
    waiting = work(held, hold, began)
    until(lambda: held.held == 2)
    held.set()
    assert held.is_set()
    assert held.wait(LONG) is True
    waiting.join(LONG)
    assert (began.get(), held.held) == (False, 1)
    hold.set()


def test_a_bell_brings_a_look_and_after_one_in_vain_none_is_heard_until_something_was_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "BREATH", 0.0)
    monkeypatch.setattr(claims, "DEAF", (LONG, LONG))
    held = Claims(Queue("q", 2))
    held.ring()
    assert held.wait(10 * LONG) is False
    held.ring()
    began = time.monotonic()
    assert held.wait(0.05) is False
    assert time.monotonic() - began >= 0.05
    with held.slot():
        held.ring()
        assert held.wait(10 * LONG) is False


def test_what_others_limit_is_not_claimed_ahead_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "QUICK", LONG)
    held = Claims(Queue("q", 4))
    end(held, 10)
    held.shared(True)
    assert held.room() == 4
    held.shared(False)
    assert held.room() == 14
