"""A transaction of the caller's: SQLAlchemy's Connection or Session, or Django's connection, if it is to the runtime's own database."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from guardrails.runtime.errors import DatabaseRefused
from guardrails.runtime.store.database import Database


@contextmanager
def borrowed(database: Database, connection: Any) -> Iterator[sa.Connection]:
    """The caller's transaction as a SQLAlchemy connection; it is neither begun, committed nor rolled back here. Raises DatabaseRefused."""
    if isinstance(connection, Session | sa.Connection):
        connection = _usable(connection)
        if _commits_each(connection):
            raise DatabaseRefused(
                "This connection commits each statement by itself (AUTOCOMMIT), so there is no transaction to join: use one that begins "
                "transactions, or enqueue."
            )
        _same(database, connection)
        _require_open(database, connection)
        yield connection
    elif hasattr(connection, "in_atomic_block") and hasattr(connection, "ensure_connection"):
        with _django(database, connection) as wrapped:
            _same(database, wrapped)
            yield wrapped
    else:
        raise DatabaseRefused(
            f"enqueue_in_transaction takes a SQLAlchemy Connection or Session, or django.db.connection, not {type(connection).__name__}: "
            "an AsyncSession gives its synchronous one by run_sync."
        )


def _usable(given: Session | sa.Connection) -> sa.Connection:
    try:
        connection = given.connection() if isinstance(given, Session) else given
        if connection.closed:
            raise sa.exc.ResourceClosedError("This Connection is closed")
    except sa.exc.SQLAlchemyError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise DatabaseRefused(
            f"This {type(given).__name__} has no transaction to join: {reason}. Give one that is open and bound to the jobs' database."
        ) from error
    return connection


def _commits_each(connection: sa.Connection) -> bool:
    """Whether it was set to commit each statement; the driver's own state does not tell, as events may begin its transactions."""
    level = connection.get_execution_options().get("isolation_level") or getattr(connection.dialect, "_on_connect_isolation_level", None)
    return level == "AUTOCOMMIT"


def _require_open(database: Database, connection: sa.Connection) -> None:
    """Refuse a driver that commits by itself. Something was asked of it before, so that one that does not is in a transaction."""
    driver = cast("Any", connection.connection.driver_connection)
    if database.dialect == "sqlite":
        connection.execute(sa.update(database.tables.meta).values(value="").where(sa.false()))  # reading begins none
        is_open = getattr(driver, "in_transaction", True)
    else:
        is_open = getattr(getattr(driver, "info", None), "transaction_status", 1) != 0  # libpq's PQTRANS_IDLE
    if not is_open:
        raise DatabaseRefused(
            "This connection's driver commits each statement by itself (autocommit), so there is no transaction to join: "
            "use one that begins transactions, or enqueue."
        )


def _same(database: Database, connection: sa.Connection) -> None:
    """Refuse another database: the job and the caller's rows could not commit together."""
    dialect = connection.dialect.name
    if dialect != database.dialect:
        raise DatabaseRefused(f"This transaction is on {dialect}, but the jobs are kept in {database.shown}: they cannot commit together.")
    meta = database.tables.meta
    name = f"{meta.schema}.{meta.name}" if meta.schema else meta.name
    there = (
        sa.text("SELECT to_regclass(:name)") if dialect == "postgresql" else sa.text("SELECT name FROM sqlite_master WHERE name = :name")
    )
    identity = None
    if connection.execute(there, {"name": name}).scalar() is not None:
        identity = connection.execute(sa.select(meta.c.value).where(meta.c.name == "id")).scalar()
    if identity != database.id:
        raise DatabaseRefused(
            f"This transaction is on another database than the jobs ({database.shown}), so they cannot commit together: "
            "configure the runtime with that database, or enqueue after the commit."
        )


class _Lent:
    """A DB-API connection whose transaction, functions and handlers belong to somebody else."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def commit(self) -> None:
        """The owner commits."""

    def rollback(self) -> None:
        """The owner rolls back."""

    def close(self) -> None:
        """The owner closes."""

    def create_function(self, *_: Any, **__: Any) -> None:
        """The owner has functions of the same names."""

    def add_notice_handler(self, *_: Any) -> None:
        """The owner is told."""


@contextmanager
def _django(database: Database, connection: Any) -> Iterator[sa.Connection]:
    if not connection.in_atomic_block:
        raise DatabaseRefused(
            "Django is not in a transaction here: call enqueue_in_transaction within `with transaction.atomic():`, or use enqueue."
        )
    connection.ensure_connection()
    if database.dialect != {"postgresql": "postgresql", "sqlite": "sqlite"}.get(connection.vendor):
        raise DatabaseRefused(
            f"This transaction is on {connection.vendor}, but the jobs are kept in {database.shown}: they cannot commit together."
        )
    token = _lent.set(_Lent(connection.connection))
    try:
        with _engine(database.dialect).connect() as wrapped:
            yield wrapped
    finally:
        _lent.reset(token)


_lent: ContextVar[Any] = ContextVar("lent")


@functools.cache
def _engine(dialect: str) -> sa.Engine:
    """Speaks over what is lent; one for all, as a new one asks the database a number of things first."""
    url, options = ("postgresql+psycopg://", {"use_native_hstore": False}) if dialect == "postgresql" else ("sqlite://", {})
    return sa.create_engine(url, creator=lambda: _lent.get(), poolclass=sa.NullPool, pool_reset_on_return=None, **options)
