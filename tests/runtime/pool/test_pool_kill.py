"""Whatever a job does, it is dead with all that it started once its pool says so, and soon after its worker's death."""

import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from guardrails.runtime.pool.frames import Clean, Finished, Output
from guardrails.runtime.pool.parent import Gone
from tests.runtime.pool.conftest import Pools
from tests.runtime.pool.processes import PATIENCE, begin, end, living, outcome, runs, seconds_until_dead, task

EVIL = [
    "ignores_signals", "computes", "matches", "holds_the_lock", "stops", "detaches", "multiplies", "runs_away", "stops_its_guardian",
]  # fmt: skip
Workers = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def worker(mark: str) -> Iterator[Workers]:
    """Starts a worker process of its own that runs a job, and waits until that misbehaves."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str, lease: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.runtime.pool.alone", name, mark, lease]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout is not None
        assert started[-1].stdout.readline() == "ready\n"
        assert living(mark)
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=PATIENCE)
    seconds_until_dead(mark)


@pytest.mark.parametrize("name", ["ignores_signals", "computes", "holds_the_lock", "detaches", "multiplies"])
def test_nothing_of_a_job_is_alive_after_its_limit(name: str, pools: Pools, mark: str) -> None:
    assert end(begin(pools().take(), name, limit=2.0)).why == "limit"
    assert living(mark) == {}


@pytest.mark.parametrize("name", [*EVIL, "sleeps"])
def test_nothing_of_a_job_is_alive_after_a_kill(name: str, pools: Pools, mark: str) -> None:
    child = pools().take()
    events = begin(child, name)
    killer = threading.Thread(target=child.kill)
    killer.start()
    last = end(events)
    assert living(mark) == {}
    killer.join()
    assert last.why == "kill"
    assert not child.alive


@pytest.mark.parametrize(("name", "number", "how"), [("exits", 3, "it exited with status 3"), ("crashes", 0, "it was killed by SIGSEGV")])
def test_a_job_that_ends_its_process_is_gone_and_the_reason_is_told(name: str, number: int, how: str, pools: Pools, mark: str) -> None:
    assert outcome(pools().take(), name, number) == (Gone("exited", how), None)
    assert living(mark) == {}


def test_a_job_that_kills_its_guardian_kills_all_of_itself(pools: Pools, mark: str) -> None:
    child = pools().take()
    child.run(task("kills_its_guardian"), PATIENCE)
    unmarked, last = list(child.frames())
    assert last == Gone("guardian", "its guardian process was killed")
    assert living(mark) == {}
    assert isinstance(unmarked, Output)
    assert not runs(int(unmarked.data))


def test_a_job_that_closes_all_descriptors_is_lost_and_killed(pools: Pools, mark: str) -> None:
    last = end(begin(pools().take(), "closes_everything"))
    assert last.why == "lost"
    assert living(mark) == {}


def test_a_guardian_that_does_not_answer_is_killed_with_all_that_bears_its_mark(
    pools: Pools, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = pools().take()
    events = begin(child, "detaches")
    guardian = child._leash._guardian
    send = guardian.send_signal
    send(signal.SIGSTOP)
    monkeypatch.setattr(guardian, "send_signal", lambda number: None if number == signal.SIGCONT else send(number))
    child.kill()
    assert living(mark) == {}
    assert end(events) == Gone("guardian", "its guardian process was killed")


def test_a_result_that_was_sent_before_the_kill_counts(pools: Pools) -> None:
    child = pools().take()
    child.run(task("echo", 7), PATIENCE)
    assert select.select([child.channel], [], [], PATIENCE)[0]
    child.kill()
    finished, clean = list(child.frames())
    assert finished == Finished('"7"')
    assert isinstance(clean, Clean)
    assert not clean.ok


@pytest.mark.parametrize("name", ["sleeps", "holds_the_lock", "detaches", "multiplies", "runs_away", "stops_its_guardian"])
def test_nothing_is_alive_a_second_after_the_worker_was_killed(name: str, worker: Workers, mark: str) -> None:
    """In one of three tries: a machine may be too busy for any promise in seconds."""
    for _ in range(3):
        worker(name).kill()
        if (seconds := seconds_until_dead(mark)) < 1.0:
            return
    pytest.fail(f"{seconds:.1f} seconds")


@pytest.mark.parametrize("name", ["sleeps", "detaches", "computes"])
def test_nothing_is_alive_after_the_lease_of_a_stopped_worker(name: str, worker: Workers, mark: str) -> None:
    process = worker(name, "1.0")
    process.send_signal(signal.SIGSTOP)
    seconds_until_dead(mark)
    assert process.poll() is None


def test_a_renewed_lease_lets_a_job_go_on(pools: Pools) -> None:
    pool = pools()
    child = pool.take()
    events = begin(child, "sleeps")
    pool.renew(time.monotonic() + 0.5)
    pool.renew(time.monotonic() + PATIENCE)
    assert not child._leash.dead(1.0)
    pool.renew(time.monotonic())
    assert end(events).why == "leash"


def test_a_pool_that_is_closed_kills_what_runs(pools: Pools, mark: str) -> None:
    pool = pools(spares=1)
    running = [begin(pool.take(), name) for name in ("sleeps", "detaches", "computes")]
    pool.close()
    assert living(mark) == {}
    assert [end(events).why for events in running] == ["kill"] * 3
