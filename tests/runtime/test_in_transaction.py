"""Queueing within the caller's transaction: the job exists if, and only if, the caller commits; another database is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.orm import Session

from guardrails import runtime
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading


class Charge(BaseModel):
    order: str


@pytest.fixture
def charge(database: str) -> runtime.Job[Charge, None]:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> None: ...

    home()
    return charge


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """The application's own engine, to the runtime's database."""
    url = sa.make_url(database)
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url)
    yield engine
    engine.dispose()


def queued() -> list[str]:
    return sorted(job.key for job in Reading(home().database).jobs())


def test_a_commit_queues_and_a_rollback_does_not(charge: Any, engine: sa.Engine) -> None:
    with engine.connect() as connection:
        with connection.begin():
            handle = charge.enqueue_in_transaction(connection, Charge(order="kept"))
            assert handle.created
        with connection.begin() as transaction:
            charge.enqueue_in_transaction(connection, Charge(order="gone"))
            transaction.rollback()
    assert queued() == ["kept"]
    assert charge.enqueue(Charge(order="gone")).created, "the key of what was rolled back is free"


def test_a_session_s_transaction_carries_the_job_with_its_rows(charge: Any, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE orders (id varchar(20) PRIMARY KEY)"))
    with Session(engine) as session:
        session.execute(sa.text("INSERT INTO orders VALUES ('7')"))
        charge.enqueue_in_transaction(session, Charge(order="7"))
        session.commit()
    with Session(engine) as session:
        charge.enqueue_in_transaction(session, Charge(order="8"))
        with pytest.raises(sa.exc.IntegrityError):
            session.execute(sa.text("INSERT INTO orders VALUES ('7')"))
    assert queued() == ["7"]


def test_another_database_is_refused(charge: Any, tmp_path: Path) -> None:
    other = sa.create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with other.begin() as connection, pytest.raises(runtime.DatabaseRefused, match="cannot commit together"):
        charge.enqueue_in_transaction(connection, Charge(order="7"))
    assert queued() == []


def test_tables_that_are_missing_are_told_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fresh.db'}"
    runtime.configure(database=url)

    @runtime.job(timeout=5, key=lambda p: p.order)
    def early(p: Charge) -> None: ...

    with sa.create_engine(url).begin() as connection, pytest.raises(runtime.DatabaseRefused, match=r"runtime\.prepare"):
        early.enqueue_in_transaction(connection, Charge(order="7"))
    runtime.prepare()
    with sa.create_engine(url).begin() as connection:
        assert early.enqueue_in_transaction(connection, Charge(order="7")).created


def test_what_is_no_connection_is_refused(charge: Any) -> None:
    with pytest.raises(runtime.DatabaseRefused, match="not str"):
        charge.enqueue_in_transaction("postgresql://somewhere", Charge(order="7"))


def django_connection(url: str) -> Any:
    """Django's own connection to the runtime's database."""
    django = pytest.importorskip("django")
    from django.conf import settings
    from django.db.utils import ConnectionHandler

    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        options = {"ENGINE": "django.db.backends.sqlite3", "NAME": parsed.database, "OPTIONS": {"transaction_mode": "IMMEDIATE"}}
    else:
        host = parsed.query.get("host") or parsed.host
        options = {"ENGINE": "django.db.backends.postgresql", "NAME": parsed.database, "USER": parsed.username, "HOST": host}
    if not settings.configured:
        settings.configure(DATABASES={"default": options})
        django.setup()
    return ConnectionHandler({"default": options})["default"]


def test_django_s_transaction_carries_the_job(charge: Any, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = django_connection(database)
    from django.db import transaction
    from django.db.transaction import Atomic

    with pytest.raises(runtime.DatabaseRefused, match=r"transaction\.atomic"):
        charge.enqueue_in_transaction(connection, Charge(order="0"))
    monkeypatch.setattr(transaction, "get_connection", lambda using=None: connection)  # this test's own, not the global one
    try:
        with Atomic(None, True, False):
            charge.enqueue_in_transaction(connection, Charge(order="kept"))
            if connection.vendor == "sqlite":  # functions that Django gave its connection are still Django's
                with connection.cursor() as cursor:
                    assert cursor.execute("SELECT 15 REGEXP '5'").fetchone() == (1,)
        with Atomic(None, True, False):
            charge.enqueue_in_transaction(connection, Charge(order="gone"))
            connection.set_rollback(True)
    finally:
        connection.close()
    assert queued() == ["kept"]


def test_what_is_closed_or_bound_to_nothing_is_refused_in_a_sentence(charge: Any, engine: sa.Engine) -> None:
    with engine.connect() as connection:
        pass
    for given in (connection, Session()):
        with pytest.raises(runtime.DatabaseRefused, match="has no transaction to join"):
            charge.enqueue_in_transaction(given, Charge(order="7"))
    assert queued() == []


@pytest.mark.parametrize("delay", ["5", None, True, float("nan"), -1])
def test_a_delay_that_is_no_number_of_seconds_is_refused(charge: Any, delay: Any) -> None:
    with pytest.raises(runtime.DeclarationError, match="delay must be between 0 and"):
        charge.enqueue(Charge(order="7"), delay=delay)
