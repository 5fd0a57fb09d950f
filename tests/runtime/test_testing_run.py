"""`runtime.testing.run` and `run_twice`: bodies inline, without a database."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import settings, testing
from guardrails.runtime.declare import registry


class Charge(BaseModel):
    order: str
    cents: int = 1


@pytest.fixture(autouse=True)
def apart(tmp_path: Path) -> Iterator[None]:
    with testing.isolated(tmp_path):
        yield


done: list[str] = []


@runtime.step
def reserve(order: str) -> str:
    done.append(order)
    return f"reserved {order}"


def test_a_run_tells_result_steps_progress_lines_and_streams() -> None:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> dict[str, object]:
        runtime.log.info("charging %s", p.order)
        runtime.progress(1, 2, "half")
        with runtime.stream("receipt", content_type="text/plain") as out:
            out.write("one ")
            out.write("two")
        return {"reserved": reserve(p.order), "attempt": runtime.current().attempt, "key": runtime.current().key}

    ran = testing.run(charge, Charge(order="7"), attempt=3)
    assert ran.result == {"reserved": "reserved 7", "attempt": 3, "key": "7"}
    assert ran.steps == {"reserve#1": "reserved 7"}
    assert [(one.done, one.total, one.note) for one in ran.progress] == [(1.0, 2.0, "half")]
    assert (ran.log, ran.lines[0].level, ran.chunks) == ("charging 7", "INFO", {"receipt": b"one two"})


def test_it_raises_what_the_body_raises() -> None:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> None:
        raise LookupError(p.order)

    with pytest.raises(LookupError, match="7"):
        testing.run(charge, Charge(order="7"))


def test_the_payload_goes_through_json_as_on_its_way_to_a_worker() -> None:
    given = Charge(order="7")
    seen: list[Charge] = []

    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> None:
        seen.append(p)

    testing.run(charge, given)
    assert seen == [given]
    assert seen[0] is not given
    with pytest.raises(runtime.PayloadRefused, match="build the model"):
        testing.run(charge, {"order": "7"})  # type: ignore[arg-type]


def test_a_result_that_is_no_json_fails_as_in_a_worker() -> None:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> object:
        return object()

    with pytest.raises(runtime.Terminal, match="not JSON"):
        testing.run(charge, Charge(order="7"))


def test_finished_steps_are_not_run_again() -> None:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> list[str]:
        return [reserve(p.order), reserve("second")]

    done.clear()
    ran = testing.run(charge, Charge(order="7"), finished_steps={"reserve": "from before"})
    assert (ran.result, done) == (["from before", "reserved second"], ["second"])
    assert list(ran.steps) == ["reserve#2"]


def test_only_the_secrets_given_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "from the environment")

    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> str:
        runtime.log.info("with %s", runtime.SecretRef("PAY_KEY").resolve())
        return runtime.SecretRef(p.order).resolve()

    ran = testing.run(charge, Charge(order="PAY_KEY"), secrets={"PAY_KEY": "s3cret-value"})
    assert (ran.result, ran.log) == ("s3cret-value", "with [redacted]")
    with pytest.raises(runtime.SecretMissing, match="OTHER"):
        testing.run(charge, Charge(order="OTHER"), secrets={"PAY_KEY": "s3cret-value"})
    assert settings.current().secrets is settings.from_environment


def test_a_body_over_its_limit_is_told_though_it_could_not_be_stopped() -> None:
    @runtime.job(timeout=0.05, key=lambda p: p.order)
    def charge(p: Charge) -> None:
        time.sleep(0.1)

    with pytest.raises(TimeoutError, match=r"limit of 0\.05 s"):
        testing.run(charge, Charge(order="7"))


@pytest.mark.parametrize("within_a_loop", [False, True])
def test_async_bodies_run_also_where_the_test_is_async(within_a_loop: bool) -> None:
    @runtime.step
    async def fetch(order: str) -> str:
        await asyncio.sleep(0)
        return order

    @runtime.job(timeout=5, key=lambda p: p.order)
    async def charge(p: Charge) -> str:
        runtime.log.info("async")
        return await fetch(p.order)

    async def test() -> testing.Ran:
        return testing.run(charge, Charge(order="7"))

    ran = asyncio.run(test()) if within_a_loop else testing.run(charge, Charge(order="7"))
    assert (ran.result, ran.steps, ran.log) == ("7", {"fetch#1": "7"}, "async")


@pytest.mark.parametrize(("recorded", "times"), [(True, 1), (False, 2)])
def test_run_twice_shows_what_a_second_run_does_again(recorded: bool, times: int) -> None:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> int:
        reserve(p.order)
        return runtime.current().attempt

    done.clear()
    first, second = testing.run_twice(charge, Charge(order="7"), steps_recorded=recorded)
    assert (first.result, second.result, len(done)) == (1, 2, times)


def test_isolated_puts_everything_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.VARIABLE, "sqlite:///before.db")
    before, names = settings.current(), set(registry.jobs)
    with testing.isolated() as folder:

        @runtime.job(timeout=5, key=lambda p: p.order)
        def inner(p: Charge) -> None: ...

        inner.enqueue(Charge(order="7"))
        assert (folder / "jobs.db").exists()
        assert str(folder) in os.environ[settings.VARIABLE]
    assert not folder.exists()
    assert (settings.current(), set(registry.jobs)) == (before, names)
    assert os.environ[settings.VARIABLE] == "sqlite:///before.db"


def test_two_isolated_databases_do_not_pass_for_one(tmp_path: Path) -> None:
    from guardrails.runtime.home import home

    with testing.isolated(tmp_path / "a"):
        one = home().database.id
    with testing.isolated(tmp_path / "b"):
        assert home().database.id != one
