"""A child serves one task after another, until one marks it; a pool replaces it, and bears an application that cannot be imported."""

import os
import re
import select
import threading
import time
from pathlib import Path

import pytest

from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.pool import warm
from guardrails.runtime.pool.frames import Ask, Clean, Failed, Finished, GarbledFrame, Go, Learn, Output, Progress, Recorded, StepDone, Task
from guardrails.runtime.pool.warm import Pool
from tests.runtime.pool.conftest import Pools
from tests.runtime.pool.processes import PATIENCE, app, living, outcome, seconds_until_dead, task


def test_one_child_runs_one_task_after_another(pools: Pools) -> None:
    pool = pools()
    seen = set()
    for _ in range(3):
        child = pool.take()
        finished, clean = outcome(child, "gentle")
        assert clean == Clean(True, "")
        assert isinstance(finished, Finished)
        seen.add(finished.result)
        pool.give_back(child, clean.ok)
    assert len(seen) == 1


def test_a_body_that_raises_fails_and_its_child_serves_on(pools: Pools) -> None:
    pool = pools()
    child = pool.take()
    failed, clean = outcome(child, "raises")
    assert isinstance(failed, Failed)
    assert (failed.type, failed.message) == ("ValueError", "no such order")
    assert clean == Clean(True, "")
    pool.give_back(child, True)
    assert pool.take() is child


def test_what_is_printed_comes_before_what_is_said_after_it(pool: Pool) -> None:
    child = pool.take()
    child.run(task("prints"), PATIENCE)
    events = list(child.frames())
    before, between = Output("stdout", b"before\n"), Output("stderr", b"between\n")
    first, second = Progress(1.0, 2.0, ""), Progress(2.0, 2.0, "")
    assert events.index(before) < events.index(first) < events.index(second)
    assert events.index(between) < events.index(second)
    assert events[-3:] == [Output("stdout", b"no end of line"), Finished('"printed"'), Clean(True, "")]


def test_a_secret_is_known_before_it_is_printed(pools: Pools) -> None:
    child = pools().take()
    child.run(task("learns", 3000), PATIENCE)
    known: set[bytes] = set()
    printed = 0
    for event in child.frames():
        if isinstance(event, Learn):
            known.add(event.value.encode())
        elif isinstance(event, Output):
            lines = event.data.splitlines()
            assert set(lines) <= known
            printed += len(lines)
    assert printed == len(known) == 3000


def test_a_secret_is_known_before_it_is_printed_also_between_two_looks(pools: Pools, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child learns and prints it after its frames were looked at, before its output is."""
    child = pools().take()
    child.run(task("learns"), PATIENCE)
    read = child._printed.read

    def read_late() -> list[Output]:
        monkeypatch.undo()
        child.channel.send(Go())
        assert select.select(child._printed.pipes, [], [], PATIENCE)[0]
        return read()

    monkeypatch.setattr(child._printed, "read", read_late)
    assert list(child.frames()) == [Learn("secret"), Output("stdout", b"secret\n"), Finished("null"), Clean(True, "")]


def test_answers_go_through_the_channel(pool: Pool) -> None:
    child = pool.take()
    child.run(task("steps", text="a"), PATIENCE)
    events = []
    for event in child.frames():
        events.append(event)
        if event == Ask("charge#1"):
            child.channel.send(Go())
        elif event == Ask("charge#2"):
            child.channel.send(Recorded('"on record"'))
    assert events == [Ask("charge#1"), StepDone("charge#1", '"a!"'), Ask("charge#2"), Finished('["a!", "on record"]'), Clean(True, "")]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("leaves_a_thread", r"The job left threads running \(forgotten\)."),
        ("leaves_a_process", r"The job left processes running \((?:sleep|python[\d.]*)\(\d+\)\)."),
        ("leaves_a_daemon", r"The job left processes running \(python[\d.]*\(\d+\)\)."),
        ("changes_folder", "The job changed the current folder."),
        ("changes_environment", r"The job changed the environment \(LEFT_BEHIND\)."),
        ("closes_stdout", "The job closed or replaced a standard stream."),
        ("replaces_stdout", "The job closed or replaced a standard stream."),
    ],
)
def test_a_child_that_a_job_has_marked_is_replaced(name: str, why: str, pools: Pools, mark: str) -> None:
    pool = pools()
    child = pool.take()
    finished, clean = outcome(child, name)
    assert isinstance(finished, Finished)
    assert clean is not None
    assert not clean.ok
    assert re.fullmatch(why, clean.why)
    pool.give_back(child, True)
    assert living(mark) == {}
    other = pool.take()
    assert other is not child
    assert outcome(other, "echo", 1) == (Finished('"1"'), Clean(True, ""))


@pytest.mark.parametrize(("name", "result"), [("ends_its_thread_late", "null"), ("spreads", "[1, 2, -15]")])
def test_a_job_that_cleans_up_after_itself_leaves_its_child_usable(name: str, result: str, pools: Pools) -> None:
    assert outcome(pools().take(), name) == (Finished(result), Clean(True, ""))


def test_a_forked_copy_that_returns_from_the_body_says_nothing(pool: Pool) -> None:
    child = pool.take()
    child.run(task("forks_and_returns"), PATIENCE)
    events = list(child.frames())
    assert events[0] == Finished("1")
    assert [type(event) for event in events] == [Finished, Clean]


def test_a_child_is_replaced_after_so_many_runs(pools: Pools) -> None:
    pool = pools(recycle_after=2)
    seen = []
    for _ in range(3):
        child = pool.take()
        outcome(child, "echo")
        pool.give_back(child, True)
        seen.append(child)
    assert seen[0] is seen[1]
    assert seen[1] is not seen[2]


def test_a_child_that_its_caller_does_not_trust_is_killed(pools: Pools, mark: str) -> None:
    pool = pools()
    child = pool.take()
    outcome(child, "echo")
    pool.give_back(child, False)
    assert living(mark) == {}


def test_a_spare_is_started_before_it_is_needed(pools: Pools, mark: str) -> None:
    pool = pools(spares=2)
    with pool._turn:
        assert pool._turn.wait_for(lambda: len(pool._idle) == 2, PATIENCE)
        spares = list(pool._idle)
    taken = [pool.take(), pool.take()]
    assert set(taken) == set(spares)
    for child in taken:
        pool.give_back(child, False)


def test_an_idle_child_that_died_is_not_given_out(pools: Pools) -> None:
    pool = pools()
    child = pool.take()
    pool.give_back(child, True)
    os.kill(child._leash._child, 9)
    assert child._leash.dead(PATIENCE)
    assert pool.take() is not child


def test_many_threads_share_a_pool(pools: Pools) -> None:
    pool = pools(spares=1)
    results: list[str] = []

    def work(number: int) -> None:
        for turn in range(10):
            child = pool.take()
            finished, clean = outcome(child, "echo", number, f"-{turn}")
            assert isinstance(finished, Finished)
            results.append(finished.result)
            pool.give_back(child, clean == Clean(True, ""))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(results) == sorted(f'"{number}-{turn}"' for number in range(6) for turn in range(10))


def test_a_flood_is_cut_and_counted(pools: Pools) -> None:
    child = pools(max_output=5000).take()
    child.run(task("floods", 3_000_000), PATIENCE)
    events = list(child.frames())
    printed = b"".join(event.data for event in events if isinstance(event, Output) and event.stream == "stdout")
    notes = [event.data for event in events if isinstance(event, Output) and event.stream == "stderr"]
    assert len(printed) == 5000
    assert notes == [b"[2995320 more bytes of output were dropped: a run keeps 5000]\n"]
    assert events[-2:] == [Finished("null"), Clean(True, "")]


def test_a_flood_without_end_ends_at_the_limit(pools: Pools, mark: str) -> None:
    child = pools(max_output=5000).take()
    child.run(task("floods"), 2.0)
    events = list(child.frames())
    assert sum(len(event.data) for event in events if isinstance(event, Output)) < 5200
    assert events[-1] == warm.Gone("limit", "it was killed at its time limit")
    assert living(mark) == {}


def test_what_was_printed_before_a_run_is_not_its_output(pools: Pools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More is printed while the application is imported than a pipe holds."""
    app(tmp_path, monkeypatch, "print('x' * 200_000)", 'import sys; print("chatty", file=sys.stderr)')
    child = pools("app").take()
    assert outcome(child, "nothing") == (Finished("null"), Clean(True, ""))
    child.run(task("nothing"), PATIENCE)
    assert [type(event) for event in child.frames()] == [Finished, Clean]


def test_a_task_that_is_too_large_is_refused(pool: Pool) -> None:
    child = pool.take()
    with pytest.raises(GarbledFrame, match="send less at once"):
        child.run(Task("j", "echo", "k", "q", 1, "{}", 1, 1, 1, {"step#1": "x" * (17 << 20)}), PATIENCE)
    assert not child.reusable
    pool.give_back(child, True)


# --- leases and the end --------------------------------------------------------------------------------------------------------------


def test_no_child_is_started_without_a_lease_and_again_with_one(pools: Pools, mark: str) -> None:
    pool = pools(spares=1)
    pool.take()
    pool.renew(time.monotonic())
    seconds_until_dead(mark)
    with pytest.raises(RuntimeFault, match="lease is over"):
        pool.take()
    pool.renew(time.monotonic() + PATIENCE)
    assert outcome(pool.take(), "echo") == (Finished('"0"'), Clean(True, ""))


def test_a_closed_pool_gives_no_child_and_takes_them_back(pools: Pools, mark: str) -> None:
    pool = pools(spares=1)
    child = pool.take()
    pool.close()
    with pytest.raises(RuntimeFault, match="closed"):
        pool.take()
    pool.give_back(child, True)
    assert not child.alive
    assert living(mark) == {}


def test_a_pool_can_be_closed_while_it_starts_children(pools: Pools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    os.mkfifo(tmp_path / "begun")
    app(tmp_path, monkeypatch, "import time; open('begun', 'w').close(); time.sleep(60)")
    pool = pools("app", spares=1)
    (tmp_path / "begun").read_text()
    pool.close()
    assert living(mark) == {}
