"""DBOS behind the runtime's own words; nothing else imports it.

What it does for us: queues with claims that one worker wins, delays, concurrency and rate limits over all workers, and durable steps
fenced by the claim.
What it does not do, and the runtime does: see `worker.py`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, _dbos, _queue
from dbos._serialization import DBOSPortableJSONSerializer  # the public package does not export it; the default would be pickle
from dbos._sys_db import SystemDatabase

from guardrails.runtime.claims import Claims

if TYPE_CHECKING:
    from guardrails.runtime.declare import Queue
    from guardrails.runtime.store.database import Database

NAME = "guardrails"
RELEASE = version("dbos")
WORKFLOW = "guardrails.attempt"
UNFINISHED = "unfinished"
LOOK = 1.0  # seconds between two looks of DBOS's into a queue for which no bell rings
LIMITS = 5.0  # seconds between two looks at whether another worker has changed a queue's limits
_SCHEMA = "dbos"
_log = logging.getLogger("guardrails.runtime")


def workflow_id(job: str, generation: int, attempt: int) -> str:
    """The engine's name for one attempt."""
    return f"{job}/{generation}/{attempt}"


def migrate(database: "Database") -> None:
    """Make the engine's tables."""
    _quiet()
    DBOS.migrate(
        database.url.set(drivername="postgresql" if database.dialect == "postgresql" else "sqlite").render_as_string(hide_password=False),
        schema=_SCHEMA,
    )


def _quiet() -> None:
    """The engine's log lines go where the application's go, from warnings up."""
    log = logging.getLogger("dbos")
    log.handlers[:] = [logging.NullHandler()]  # without one it would set up its own
    log.propagate = True
    log.setLevel(logging.WARNING)


def _schema(dialect: str) -> str | None:
    return _SCHEMA if dialect == "postgresql" else None


def _options(queue: str, job: str, generation: int, attempt: int, delay: float) -> EnqueueOptions:
    options: EnqueueOptions = {
        "workflow_name": WORKFLOW,
        "queue_name": queue,
        "workflow_id": workflow_id(job, generation, attempt),
        "app_version": NAME,
    }
    if delay > 0:
        options["delay_seconds"] = delay
    return options


class _Draft:
    """Stands for DBOS's database where it writes a new attempt, and keeps what it would write."""

    def __init__(self, database: SystemDatabase, tables: dict[str, sa.Table]) -> None:
        """tables: those seen before, by the names that DBOS gives its statements."""
        self._database, self._tables = database, tables
        self.rows: dict[sa.Table, dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def _execute_prepared(self, _connection: None, name: str, values: dict[str, Any], build: Callable[[], Any]) -> "_Draft":
        if name not in self._tables:  # as any connection knows it: only DBOS's own translate its schema
            self._tables[name] = build().table.to_metadata(sa.MetaData(), schema=_schema(self._database.engine.dialect.name))
        self.rows[self._tables[name]] = values
        return self

    def fetchone(self) -> None:
        """Nothing of this attempt's was there before."""


class Client:
    """What any process can do: queue an attempt within a transaction, cancel, read steps, delete."""

    def __init__(self, database: "Database") -> None:
        _quiet()
        self._client = DBOSClient(
            system_database_engine=database.engine,
            dbos_system_schema=_SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            lazy=True,
            retry_connection_errors=False,
        )
        self._drafted: dict[str, sa.Table] = {}

    def queue(self, connection: sa.Connection, queue: str, job: str, generation: int, attempt: int, delay: float = 0.0) -> None:
        """Queue an attempt within the caller's transaction; `delay` in seconds."""
        options = _options(queue, job, generation, attempt, delay)
        self._client.enqueue_in_transaction(connection, options, job, generation, attempt, queue)

    def rows(self, queue: str, job: str, delay: float = 0.0) -> "dict[sa.Table, dict[str, Any]]":
        """What `queue` writes for a job's first attempt, for those who write it together with other rows; each has the same columns.

        Private in DBOS; tests/runtime/test_engine_contract.py holds it to what we need.
        """
        options = _options(queue, job, 1, 1, delay)
        _, status = self._client._build_enqueue_status(options, job, 1, 1, queue)
        draft = _Draft(self._client._sys_db, self._drafted)
        SystemDatabase._insert_workflow_status(draft, status, None, creator_xid=job)  # type: ignore[arg-type]
        return draft.rows

    def cancel(self, job: str, generation: int, attempt: int) -> None:
        """Take an attempt out of its queue."""
        self._client.cancel_workflow(workflow_id(job, generation, attempt))

    def declare(self, queue: "Queue") -> None:
        """Write a queue's limits where all workers read them; the last worker that starts decides."""
        self._client.register_queue(
            queue.name,
            worker_concurrency=min(queue.concurrency, queue.limit or queue.concurrency),
            global_concurrency=queue.limit,
            polling_interval_sec=LOOK,
            limiter={"limit": queue.rate[0], "period": queue.rate[1]} if queue.rate else None,
            application_name=NAME,
        )

    def steps(self, job: str, since: int, before: tuple[int, int]) -> dict[str, str]:
        """The results (JSON) of a job's finished steps, by name with occurrence: of generation `since` and later ones, up to the attempt
        `before`, a (generation, attempt).
        """
        found: dict[str, str] = {}
        for generation, attempt in sorted(self._attempts(job)):
            if generation >= since and (generation, attempt) < before:
                for step in self._client.list_workflow_steps(workflow_id(job, generation, attempt)):
                    if isinstance(step["output"], dict) and "result" in step["output"]:
                        found[step["function_name"]] = step["output"]["result"]
        return found

    def _attempts(self, job: str) -> list[tuple[int, int]]:
        rows = self._client.list_workflows(workflow_id_prefix=f"{job}/", load_input=False, load_output=False)
        return [(int(generation), int(attempt)) for _, generation, attempt in (row.workflow_id.split("/") for row in rows)]

    def alive(self, attempts: Iterable[tuple[str, int, int]]) -> set[str]:
        """Which of these attempts the engine still means to run, by their jobs' ids."""
        wanted = [workflow_id(*attempt) for attempt in attempts]
        rows = self._client.list_workflows(workflow_ids=wanted, load_input=False, load_output=False) if wanted else []
        return {row.workflow_id.split("/")[0] for row in rows if row.status in ("ENQUEUED", "DELAYED", "PENDING")}

    def forget(self, job: str) -> None:
        """Forget a job's attempts with their steps."""
        self._client.delete_workflows([workflow_id(job, *attempt) for attempt in self._attempts(job)])

    def close(self) -> None:
        """Stop its threads; the connections are the database's."""
        self._client.destroy()


class Fleet:
    """This process as one worker of the fleet: it claims attempts from queues and runs each in a thread of the engine."""

    def __init__(
        self,
        database: "Database",
        executor: str,
        queues: Iterable["Queue"],
        run: Callable[[str, int, int], None],
        pass_on: Callable[[str, int, int], None],
        poll: float,
    ) -> None:
        self._database = database
        self._executor = executor
        self._queues = list(queues)
        self._run = run
        self._pass_on = pass_on
        self._poll = poll
        attempt = sa.table("workflow_status", sa.column("queue_name"), sa.column("status"), schema=_schema(database.dialect))
        waits = (sa.exists().where(attempt.c.queue_name == queue.name, attempt.c.status == "ENQUEUED") for queue in self._queues)
        self._glance = sa.select(*waits)
        self._claims: dict[str, Claims] = {}
        self._looked: dict[str, Any] = {}
        self._over = threading.Event()
        self.launched = False

    def launch(self, client: Client) -> None:
        """Begin to claim."""
        _quiet()
        config: DBOSConfig = {
            "name": NAME,
            "system_database_engine": self._database.engine,
            "dbos_system_schema": _SCHEMA,
            "application_version": NAME,
            "executor_id": self._executor,
            "serializer": DBOSPortableJSONSerializer(),
            "run_migrations": False,
            "enable_otlp": False,
            "log_level": "WARNING",
            "system_database_url": "sqlite:///unused.sqlite"
            if self._database.dialect == "sqlite"
            else "postgresql://unused@localhost/unused",
        }
        for queue in self._queues:  # before the launch, which begins to look into them at once
            client.declare(queue)
        DBOS(config=config)
        run, pass_on = self._run, self._pass_on

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        def attempt(job: str, generation: int, attempt: int, queue: str) -> None:
            with self._claims[queue].slot() as free:
                (run if free else pass_on)(job, generation, attempt)

        DBOS.listen_queues([])  # its own threads look into none of ours
        _quiet()
        DBOS.launch()
        for queue in self._queues:
            self._claim(queue)
        threading.Thread(target=self._bell, name="bell", daemon=True).start()
        self.launched = True

    def _claim(self, queue: "Queue") -> None:
        """Begin to claim of a queue: in DBOS's own loop, at our pace.

        Private in DBOS; tests/runtime/test_engine_contract.py holds it to what we need.
        """
        dbos = _dbos._get_dbos_instance()
        looked = DBOS.retrieve_queue(queue.name)
        assert looked is not None  # declared before the launch
        looked.database_backed_queue = False  # not read anew at each look, so that its share of this worker can change

        def look(room: int) -> None:
            looked._worker_concurrency = dbos._active_workflows_set.count_for_queue(queue.name) + room

        claims = self._claims[queue.name] = Claims(queue, look)
        self._looked[queue.name] = looked
        threading.Thread(target=_queue.queue_worker_thread, args=(claims, dbos, looked), name=f"claims-{queue.name}", daemon=True).start()

    def _bell(self) -> None:
        """Ring for each queue in which something waits: a glance costs a tenth of a look, and needs no notifications of the database's."""
        limits = time.monotonic() + LIMITS
        while not self._over.wait(self._poll):
            try:
                if time.monotonic() >= limits:
                    limits = time.monotonic() + LIMITS
                    self._read_limits()
                waiting = self.waiting()
            except Exception as fault:  # the looks go on, and a thread that ends would ring no more
                _log.debug("Looking for what waits failed: %s", fault)
                self._over.wait(LOOK)
                continue
            for name in waiting:
                self._claims[name].ring()

    def waiting(self) -> list[str]:
        """The queues in which an attempt waits that may be claimed."""
        with self._database.alone() as connection:
            found = connection.execute(self._glance).one()
        return [queue.name for queue, waits in zip(self._queues, found, strict=True) if waits]

    def _read_limits(self) -> None:
        """The limits over all workers are the queue's, and the last worker that started decides."""
        for name, looked in self._looked.items():
            if latest := DBOS.retrieve_queue(name):
                looked._concurrency, looked._limiter = latest._concurrency, latest._limiter
                self._claims[name].shared(latest._concurrency is not None or latest._limiter is not None)

    def step(self, name: str, run: Callable[[], str | None]) -> str | None:
        """Run a durable step within an attempt: its recorded result, else what `run` gives.

        None (it did not finish) is no result, and is never replayed.
        """
        while True:
            ran: list[str | None] = []

            def record(ran: list[str | None] = ran) -> dict[str, str]:
                ran.append(run())
                return {UNFINISHED: name} if ran[0] is None else {"result": ran[0]}

            output = DBOS.run_step({"name": name}, record)
            if ran:
                return ran[0]
            if "result" in output:
                return output["result"]

    def recover(self, dead: list[str]) -> int:
        """Give the attempts of dead workers back to their queues; returns how many.

        Private in DBOS: the public `resume_workflows` would zero the attempts. tests/runtime/test_engine_contract.py holds it to what we
        need.
        """
        return len(DBOS._recover_pending_workflows(dead)) if dead else 0

    def stop_claiming(self) -> None:
        """Claim nothing more; what runs goes on. Private in DBOS, whose own end also cuts the threads that still run."""
        self._over.set()
        for claims in self._claims.values():
            claims.set()
        for stopping in _dbos._get_dbos_instance().background_thread_stop_events:
            stopping.set()

    def held(self) -> int:
        """How many claims of this worker are not over."""
        return sum(claims.held for claims in self._claims.values())

    def close(self) -> None:
        """Close the engine; attempts that still run are the caller's to end first."""
        DBOS.destroy(destroy_registry=True)

    def pending(self) -> set[str]:
        """The workers that hold claims, as the engine's book has them."""
        statuses = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {status.executor_id for status in statuses if status.executor_id}
