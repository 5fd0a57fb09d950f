"""What the runtime needs of DBOS beyond its public interface: a release that changes it must fail here, not in production."""

import inspect

from dbos import DBOS, DBOSClient, _dbos
from dbos._serialization import DBOSPortableJSONSerializer

from guardrails.runtime import engine


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
