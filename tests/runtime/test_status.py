"""What an application asks and does from outside: state, cancel, requeue."""

from typing import Any

import pytest
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import testing


class Report(BaseModel):
    month: str


def test_a_state_tells_all_but_the_payload(database: str) -> None:
    @runtime.job(timeout=5, key=lambda p: p.month)
    def report(p: Report) -> dict[str, int]:
        runtime.progress(1, 2, "half")
        return {"rows": 3}

    job = report.enqueue(Report(month="2026-11")).id
    before = runtime.state(job)
    assert (before.status, before.ended, before.runs, before.result, before.started) == ("queued", False, 0, None, None)
    testing.drain()
    after = runtime.state(job)
    assert (after.status, after.ended, after.result, after.error) == ("done", True, {"rows": 3}, None)
    assert after.progress == {"done": 1, "total": 2, "note": "half"}
    assert after.created <= (after.started or 0) <= (after.finished or 0)
    assert "payload" not in runtime.State.__dataclass_fields__


def test_cancelled_and_requeued(database: str) -> None:
    @runtime.job(timeout=5, key=lambda p: p.month)
    def report(p: Report) -> None: ...

    job = report.enqueue(Report(month="2026-11")).id
    assert runtime.cancel(job) == "cancelled"
    assert runtime.state(job).ended
    with pytest.raises(runtime.WrongState, match="is cancelled; only a queued, retrying or running job"):
        runtime.cancel(job)
    runtime.requeue(job)
    assert runtime.state(job).status == "queued"
    with pytest.raises(runtime.WrongState, match="only a dead or cancelled job"):
        runtime.requeue(job)


@pytest.mark.parametrize("part", [slice(0, 6), slice(0, 0)])
def test_half_an_id_is_no_id(database: str, part: slice) -> None:
    @runtime.job(timeout=5, key=lambda p: p.month)
    def report(p: Report) -> None: ...

    job = report.enqueue(Report(month="2026-11")).id
    with pytest.raises(runtime.UnknownJob):
        runtime.state(job[part])


@pytest.mark.parametrize("given", ["a\0b", "\ud800", "", None, 7])
def test_what_no_database_holds_is_no_id(database: str, given: Any) -> None:
    for ask in (runtime.state, runtime.cancel, runtime.requeue, runtime.tasks.get):
        with pytest.raises(runtime.UnknownJob, match="There is no"):
            ask(given)
