"""What the runtime needs of DBOS beyond its public interface: a release that changes it must fail here, not in production."""

import inspect
import re
import time

import pytest
import sqlalchemy as sa
from dbos import DBOS, DBOSClient, _dbos, _queue, _sys_db
from dbos._serialization import DBOSPortableJSONSerializer
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import engine
from guardrails.runtime.home import home
from guardrails.runtime.store.jobs import new_id


class Count(BaseModel):
    number: int


def test_recovery_takes_the_ids_of_dead_workers() -> None:
    assert list(inspect.signature(DBOS._recover_pending_workflows).parameters) == ["executor_ids"]


def test_the_queue_threads_can_be_stopped_alone() -> None:
    source = inspect.getsource(DBOS)
    assert "background_thread_stop_events" in source
    assert callable(_dbos._get_dbos_instance)


def test_rows_are_written_as_json() -> None:
    assert DBOSPortableJSONSerializer().serialize({"a": 1}) == '{"a":1}'


def test_an_attempt_is_queued_within_a_transaction_of_the_caller() -> None:
    assert list(inspect.signature(DBOSClient.enqueue_in_transaction).parameters)[:3] == ["self", "conn_or_session", "options"]


def test_an_attempt_has_a_name_that_says_which() -> None:
    assert engine.workflow_id("job", 1, 2) == "job/1/2"


def test_the_loop_of_a_queue_asks_its_event_when_to_look_and_claims_by_the_queue_in_memory() -> None:
    assert list(inspect.signature(_queue.queue_worker_thread).parameters) == ["stop_event", "dbos", "queue"]
    loop = inspect.getsource(_queue.queue_worker_thread)
    assert "if queue.database_backed_queue:" in loop
    assert re.findall(r"stop_event\.(\w+)", loop).count("wait") == 1
    assert set(re.findall(r"stop_event\.(\w+)", loop)) == {"wait", "is_set"}
    assert "dbos._active_workflows_set.count_for_queue(queue.name)" in loop


def test_the_bell_sees_what_waits(database: str) -> None:
    @runtime.job(timeout=5, key=lambda p: p.number, queue="second")
    def count(p: Count) -> None: ...

    def never(*_: object) -> None:
        raise AssertionError

    queues = [runtime.Queue("first"), runtime.Queue("second")]
    fleet = engine.Fleet(home().database, "me", queues, never, never, poll=1.0)
    job = count.enqueue(Count(number=1), delay=60).id
    assert fleet.waiting() == []
    runtime.cancel(job)
    job = count.enqueue(Count(number=2)).id
    assert fleet.waiting() == ["second"]
    runtime.cancel(job)
    assert fleet.waiting() == []


def test_what_is_set_on_a_queue_in_memory_is_what_a_look_reads(database: str) -> None:
    """A name that is gone would lift every limit in silence."""
    home().client.declare(runtime.Queue("mail", concurrency=3, limit=2, rate=(5, 1.0)))
    looked = home().client._client.retrieve_queue("mail")
    assert looked is not None
    assert looked.database_backed_queue
    assert (looked._worker_concurrency, looked._concurrency, looked._limiter) == (2, 2, {"limit": 5, "period": 1.0})
    claim = inspect.getsource(_sys_db.SystemDatabase.start_queued_workflows)
    for name in ("_worker_concurrency", "_concurrency", "_limiter"):
        assert f"queue.{name}" in claim


@pytest.mark.parametrize("delay", [0.0, 60.0])
def test_the_rows_that_we_write_for_an_attempt_are_those_that_dbos_writes(database: str, delay: float) -> None:
    @runtime.job(timeout=5, key=lambda p: p.number)
    def count(p: Count) -> None: ...

    ours = count.enqueue(Count(number=1), delay=delay).id
    many = count.enqueue_many([Count(number=2)], delay=delay)[0].id
    theirs = new_id()
    with home().database.begin() as connection:
        home().client.queue(connection, count.queue, theirs, 1, 1, delay)
    assert _written(ours) == _written(many) == _written(theirs)
    assert {table for table, _ in _written(ours)} >= {"workflow_status", "workflow_input"}


def _written(job: str) -> list[tuple[str, dict[str, object]]]:
    """All rows of a job's in DBOS's tables, without what differs from one attempt to the next."""
    database = home().database
    schema = "dbos" if database.dialect == "postgresql" else None
    with database.read() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection, schema=schema)
        tables = [table for table in metadata.sorted_tables if "workflow_uuid" in table.c]
        rows = {
            table.name: connection.execute(sa.select(table).where(table.c.workflow_uuid.startswith(f"{job}/"))).mappings().all()
            for table in tables
        }
    return [
        (name, {column: _same(job, value) for column, value in row.items() if column != "creator_xid"})
        for name, found in sorted(rows.items())
        for row in found
    ]


def _same(job: str, value: object) -> object:
    if isinstance(value, str):
        return value.replace(job, "JOB")
    return "about now" if isinstance(value, int) and abs(value - time.time() * 1000) < 120_000 else value
