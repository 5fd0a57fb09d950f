"""What an attack on queueing found: each was a job lost in silence, a process that hung, or a run that nobody asked for."""

import multiprocessing
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import Annotated, Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import scheduled, testing
from guardrails.runtime.declare import registry
from guardrails.runtime.errors import DatabaseRefused, RuntimeFault
from guardrails.runtime.home import close, home
from guardrails.runtime.store.database import Database
from guardrails.runtime.work.lease import Leases
from guardrails.runtime.work.lock import only_worker
from tests.runtime.servers import Postgres


class Order(BaseModel):
    number: int


class Card(BaseModel):
    number: Annotated[str, runtime.Sensitive]


@pytest.fixture
def noop(database: str) -> Any:
    @runtime.job(timeout=5, key=lambda order: f"order-{order.number}")
    def noop(order: Order) -> None: ...

    return noop


def jobs() -> int:
    with home().database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(home().database.tables.job)).scalar_one())


def test_processes_that_meet_a_database_without_tables_all_begin(postgres: Postgres) -> None:
    """The engine builds indexes that wait for whoever waits for its turn within a transaction."""
    url = postgres.create("empty")
    code = "import sys; from guardrails.runtime.store.database import Database; Database(sys.argv[1]).prepare()"
    processes = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(6)]
    try:
        assert [process.wait(90) for process in processes] == [0] * 6
    finally:
        for process in processes:
            process.kill()


@pytest.mark.parametrize("caught", [True, False])
def test_a_hook_that_fails_at_the_database_costs_no_job(noop: Any, caught: bool, caplog: pytest.LogCaptureFixture) -> None:
    @runtime.on_status
    def note(connection: sa.Connection, event: runtime.Event) -> None:
        try:
            connection.execute(sa.text("INSERT INTO there_is_no_such_table VALUES (1)"))
        except sa.exc.DBAPIError:
            if not caught:
                raise

    handle = noop.enqueue(Order(number=1))
    with home().database.begin() as connection:
        noop.enqueue_in_transaction(connection, Order(number=2))
    assert runtime.state(handle.id).status == "queued"
    assert jobs() == 2
    if caught and home().database.dialect == "postgresql":
        assert "with connection.begin_nested()" in caplog.text


def test_a_hook_queues_by_its_connection_only(noop: Any, caplog: pytest.LogCaptureFixture) -> None:
    @runtime.on_status
    def follow(connection: sa.Connection, event: runtime.Event) -> None:
        if event.key == "order-1":
            noop.enqueue_in_transaction(connection, Order(number=2))
            noop.enqueue(Order(number=3))

    noop.enqueue(Order(number=1))
    assert jobs() == 1  # what the hook did is undone with what it was refused
    assert "call noop.enqueue_in_transaction(connection, ..)" in caplog.text


def test_a_tick_that_is_queued_with_another_payload_stops_no_schedule(noop: Any) -> None:
    """As after a release with another payload, and one that takes it back."""
    numbers = iter(range(100))
    runtime.schedule("first", target=noop, every=60, payload=lambda _: Order(number=next(numbers)))
    runtime.schedule("second", target=noop, every=60, payload=Order(number=7))
    assert scheduled.tick(home(), 1_000_000.0) == []
    assert len(scheduled.tick(home(), 1_000_080.0)) == 2
    with home().database.begin() as connection:
        tables = home().database.tables
        connection.execute(sa.update(tables.job).values(status="done"))
        connection.execute(sa.update(tables.tick).where(tables.tick.c.name == "first").values(last=1_000_000.0))
    assert scheduled.tick(home(), 1_000_080.0) == []
    assert len(scheduled.tick(home(), 1_000_140.0)) == 2


def test_a_schedule_that_cannot_be_looked_at_stops_no_other(noop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.schedule("first", target=noop, every=60, payload=Order(number=1))
    runtime.schedule("second", target=noop, every=60, payload=Order(number=2))
    scheduled.tick(home(), 1_000_000.0)
    broken = registry.schedules["first"]
    claim = scheduled._claim

    def refused(home: Any, connection: Any, declared: Any, *rest: Any) -> bool:
        if declared is broken:
            raise RuntimeFault("broken")
        return claim(home, connection, declared, *rest)

    monkeypatch.setattr(scheduled, "_claim", refused)
    assert len(scheduled.tick(home(), 1_000_080.0)) == 1


def test_what_is_sensitive_stands_in_no_traceback(database: str) -> None:
    @runtime.job(timeout=5, key=lambda card: "card")
    def pay(card: Card) -> None: ...

    table = "dbos.workflow_input" if home().database.dialect == "postgresql" else "workflow_input"
    with home().database.begin() as connection:
        connection.execute(sa.text(f"ALTER TABLE {table} RENAME TO away"))
    number = "-".join(["4111"] * 4)
    for call in (lambda: pay.enqueue(Card(number=number)), lambda: pay.enqueue_many([Card(number=number)])):
        with pytest.raises(DatabaseRefused) as refused:
            call()
        assert number not in "".join(traceback.format_exception(refused.value))


def test_a_link_to_the_file_is_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "jobs.db")
    one, other = (Database(f"sqlite:///{tmp_path / name}.db") for name in ("jobs", "link"))
    with only_worker(one), pytest.raises(DatabaseRefused, match="Another worker already serves"), only_worker(other):
        raise AssertionError


def test_a_file_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    with testing.isolated(database=f"sqlite:///{tmp_path / 'jobs.db'}"):

        @runtime.job(timeout=5, key=lambda order: order.number)
        def noop(order: Order) -> None: ...

        noop.enqueue(Order(number=1))
        for name in ("jobs.db", "jobs.db-wal", "jobs.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        noop.enqueue(Order(number=2))
        assert jobs() == 1
        assert (tmp_path / "jobs.db").exists()


def test_a_driver_that_commits_each_statement_has_no_transaction_to_join(noop: Any) -> None:
    database = home().database
    theirs = sa.create_engine(database.engine.url, connect_args={} if database.dialect == "sqlite" else {"autocommit": True})
    if database.dialect == "sqlite":
        sa.event.listen(theirs, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
    with pytest.raises(DatabaseRefused, match="driver commits each statement by itself"), theirs.begin() as connection:
        noop.enqueue_in_transaction(connection, Order(number=1))
    theirs.dispose()
    assert jobs() == 0


def test_the_runtime_reads_what_others_have_committed_and_waits_for_nobody_for_ever(database: str) -> None:
    """Whatever the server's own defaults are."""
    if home().database.dialect != "postgresql":
        pytest.skip("SQLite has no such settings")
    for connection in (home().database.begin(), home().database.alone()):
        with connection as used:
            shown = [used.execute(sa.text(f"SHOW {name}")).scalar() for name in ("transaction_isolation", "lock_timeout")]
            assert shown == ["read committed", "30s"]


def test_a_worker_that_is_being_buried_cannot_renew(database: str) -> None:
    leases = Leases(home().database, span=60.0)
    for worker in ("dead", "me"):
        leases.take(worker, [])
    with home().database.begin() as connection:
        connection.execute(sa.update(home().database.tables.lease).values(expires=0.0))
    assert leases.bury("me") == {"dead"}
    assert (leases.renew("dead"), leases.renew("me")) == (False, True)


def _child(number: int, told: "multiprocessing.SimpleQueue[str]") -> None:
    noop = registry.jobs["noop"]
    try:
        told.put(noop.enqueue(Order(number=number)).key)
    except DatabaseRefused as refused:
        told.put(str(refused))


def test_a_forked_process_queues_by_connections_of_its_own(noop: Any) -> None:
    """And a SQLite file's log outlives the parent, which closes it."""
    noop.enqueue(Order(number=1))
    context = multiprocessing.get_context("fork")
    told = context.SimpleQueue()
    for number in (2, 3):
        process = context.Process(target=_child, args=(number, told))
        process.start()
        process.join(60)
        assert (process.exitcode, told.get()) == (0, f"order-{number}")
        close()
    assert jobs() == 3


def test_a_process_that_was_forked_beside_a_busy_thread_says_so(noop: Any) -> None:
    if home().database.dialect != "sqlite":
        pytest.skip("only SQLite's locks belong to a process")
    context = multiprocessing.get_context("fork")
    told = context.SimpleQueue()
    there, over = threading.Event(), threading.Event()

    def busy() -> None:
        with home().database.begin():
            there.set()
            over.wait(60)

    thread = threading.Thread(target=busy)
    thread.start()
    there.wait(60)
    process = context.Process(target=_child, args=(2, told))
    process.start()
    process.join(60)
    over.set()
    thread.join(60)
    assert (process.exitcode, "This process was forked while other threads" in told.get()) == (0, True)
    assert noop.enqueue(Order(number=3)).created
