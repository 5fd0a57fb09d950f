"""A connection to the runtime's database: SQLite in WAL mode or PostgreSQL, its tables made on first use, its clock as SQL."""

import functools
import math
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from guardrails.runtime.errors import DatabaseRefused
from guardrails.runtime.store.tables import SCHEMA, VERSION, Dialect, Tables, build

tables_for = functools.cache(build)
BUSY_SECONDS = 30
RESTED = 2.0  # seconds after which a connection is asked whether it stands, before it is used again: asking always took a quarter of a run
MIGRATING = 0.1  # seconds between two looks at whether another process has made the tables
POOL = 10
DAY = 86_400.0  # seconds
_ADVISORY = 7_346_209_331


class Database:
    """One database: `engine`, `tables`, `dialect`; `id` tells it from any other that has the same tables."""

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.dialect = cast("Dialect", self.url.get_backend_name())
        self.tables: Tables = tables_for(self.dialect)
        self.engine = self._sqlite() if self.dialect == "sqlite" else self._postgres()
        self.now: sa.ColumnElement[float] = sa.literal_column(
            "((julianday('now') - 2440587.5) * 86400.0)" if self.dialect == "sqlite" else "extract(epoch from clock_timestamp())::float8",
            sa.Double,
        )
        self._single = self._postgres(isolation_level="AUTOCOMMIT") if self.dialect == "postgresql" else self.engine
        if self._single is not self.engine:
            _share_losses(self.engine, self._single)
        self._ready = False
        self._seen: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def _sqlite(self) -> sa.Engine:
        engine = sa.create_engine(self.url.set(drivername="sqlite"), hide_parameters=True)  # a payload may hold what no traceback should

        @event.listens_for(engine, "connect")
        def connected(connection: Any, _record: object) -> None:
            connection.isolation_level = "IMMEDIATE"  # writers queue up; a transaction that has read never fails to upgrade
            connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA case_sensitive_like=ON")  # as on PostgreSQL
            connection.execute("PRAGMA journal_mode=WAL")

        return engine

    def _postgres(self, **options: Any) -> sa.Engine:
        engine = sa.create_engine(
            self.url.set(drivername="postgresql+psycopg"),
            pool_size=POOL,
            max_overflow=POOL,
            pool_timeout=30,
            connect_args={"application_name": "guardrails", "connect_timeout": 10},
            hide_parameters=True,
            **options,
        )

        @event.listens_for(engine, "connect")
        def connected(connection: Any, _record: object) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'; SET default_transaction_isolation = 'read committed'")
            connection.commit()

        @event.listens_for(engine, "checkin")
        def rests(_connection: Any, record: Any) -> None:
            record.info["rests"] = time.monotonic()

        @event.listens_for(engine, "checkout")
        def used_again(connection: Any, record: Any, _fairy: object) -> None:
            if time.monotonic() - record.info.get("rests", math.inf) > RESTED:
                try:
                    engine.dialect.do_ping(connection)
                except engine.dialect.dbapi.Error as error:  # type: ignore[union-attr]
                    raise sa.exc.DisconnectionError from error

        return engine

    @property
    def shown(self) -> str:
        """The URL without its password, and of its options those that say where it is: drivers read passwords from others."""
        told = {name: value for name, value in self.url.query.items() if name in ("host", "port")}
        return self.url.set(query=told).render_as_string(hide_password=True)

    def prepare(self) -> None:
        """Make the engine's tables and ours where they are missing; raises DatabaseRefused."""
        if self._ready:
            return
        with self._lock:
            if not self._ready:
                with told(self):
                    self._migrate()
                self._ready = True

    def require(self) -> None:
        """Be sure that the tables are there, without making them; raises DatabaseRefused."""
        with told(self):
            if not self._ready and not self._current():
                raise DatabaseRefused(
                    f"The runtime's tables are not in {self.shown} yet, and cannot be made within this transaction: "
                    "call runtime.prepare() when the application starts, or start a worker first."
                )
        self.prepare()

    def _migrate(self) -> None:
        if not self._current():
            with self._migrating():
                if not self._current():  # another process has made them meanwhile
                    self._make()
        self.id = self._meta("id")
        self._seen = _file(str(self.url.database)) if self.dialect == "sqlite" else None

    def _make(self) -> None:
        from guardrails.runtime import engine

        engine.migrate(self)
        with self.engine.begin() as connection:
            if self.dialect == "sqlite":
                connection.execute(sa.text("BEGIN IMMEDIATE"))  # the driver would begin no transaction before CREATE
            self._create(connection)

    def _current(self) -> bool:
        """Whether both sets of tables are there already, in this release's version."""
        from guardrails.runtime import engine

        if not sa.inspect(self.engine).has_table(self.tables.meta.name, schema=self.tables.meta.schema):
            return False
        version = self._meta("version")
        if int(version) > VERSION:
            raise DatabaseRefused(
                f"{self.shown} was made by a newer release of guardrails (tables version {version}, here {VERSION}): upgrade this one."
            )
        return int(version) == VERSION and self._meta("engine") == engine.RELEASE

    @contextmanager
    def _migrating(self) -> Iterator[None]:
        """One migrator at a time on PostgreSQL; SQLite's write lock does that.

        Nobody waits within a statement or a transaction: the engine builds indexes that wait for all older ones.
        """
        if self.dialect == "sqlite":
            yield
            return
        with self._single.connect() as holder:
            while not holder.execute(sa.select(sa.func.pg_try_advisory_lock(_ADVISORY))).scalar():
                time.sleep(MIGRATING)
            try:
                yield
            finally:
                holder.execute(sa.select(sa.func.pg_advisory_unlock(_ADVISORY)))

    def _create(self, connection: sa.Connection) -> None:
        from guardrails.runtime import engine

        if self.dialect == "postgresql":
            connection.execute(sa.schema.CreateSchema(SCHEMA, if_not_exists=True))
        self.tables.metadata.create_all(connection)
        for name, value in (("version", str(VERSION)), ("engine", engine.RELEASE)):
            connection.execute(self.tables.meta.delete().where(self.tables.meta.c.name == name))
            connection.execute(self.tables.meta.insert().values(name=name, value=value))
        if not connection.execute(sa.select(self.tables.meta.c.value).where(self.tables.meta.c.name == "id")).scalar():
            connection.execute(self.tables.meta.insert().values(name="id", value=secrets.token_hex(16)))

    def _meta(self, name: str) -> str:
        with self.engine.connect() as connection:
            return str(connection.execute(sa.select(self.tables.meta.c.value).where(self.tables.meta.c.name == name)).scalar() or 0)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction; a database that fails raises DatabaseRefused, and nothing of it stays."""
        self.prepare()
        with told(self), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[sa.Connection]:
        """A connection for one statement that is its own transaction: one message to PostgreSQL in place of three."""
        self.prepare()
        with told(self), self._single.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading."""
        self.prepare()
        with told(self), self.engine.connect() as connection:
            yield connection

    @property
    def busy(self) -> bool:
        """Whether a thread has a connection at the moment."""
        return isinstance(self.engine.pool, sa.QueuePool) and self.engine.pool.checkedout() > 0

    def owns(self, connection: sa.Connection) -> bool:
        """Whether a connection is one of these, with their driver."""
        return connection.engine is self.engine or connection.engine is self._single

    def there(self) -> bool:
        """Whether a SQLite file is still the one that was opened: what is written into a removed one, nobody will read."""
        if self.dialect != "sqlite" or not self._ready:
            return True
        return self._seen == _file(str(self.url.database))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        self._single.dispose()

    def insert(self, table: sa.Table) -> Any:
        """An INSERT that can say `on_conflict_do_nothing` in this dialect."""
        from sqlalchemy.dialects import postgresql, sqlite

        return postgresql.insert(table) if self.dialect == "postgresql" else sqlite.insert(table)


def _share_losses(*engines: sa.Engine) -> None:
    """Where one of these finds its server gone, the idle connections of the others lead nowhere, too."""

    def lost(context: sa.ExceptionContext) -> None:
        if context.is_disconnect:
            for engine in engines:
                if engine is not context.engine:
                    engine.dispose()

    for engine in engines:
        event.listen(engine, "handle_error", lost)


def _file(name: str) -> tuple[int, int] | None:
    """What tells a file from any other, also from one of the same name; a URI is not looked for."""
    if name.startswith("file:"):
        return None
    try:
        found = Path(name).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _checked(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (SQLAlchemyError, ValueError) as error:
        raise DatabaseRefused(
            "The database URL cannot be read: write sqlite:///jobs.db or postgresql://user:password@host/name."
        ) from error
    if parsed.drivername == "postgres":  # as libpq and many hosts write it
        parsed = parsed.set(drivername="postgresql")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise DatabaseRefused(
            f"The runtime keeps its jobs on SQLite or PostgreSQL, not on {parsed.get_backend_name()}: "
            "write sqlite:///jobs.db or postgresql://user:password@host/name."
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise DatabaseRefused("Jobs need a database that outlives the process: name a file, as in sqlite:///jobs.db.")
    return parsed


@contextmanager
def told(database: Database) -> Iterator[None]:
    """Say a database's failure in one sentence."""
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
        changed = "Whether the last change was made is not known" if error.connection_invalidated else "Nothing was changed"
        raise DatabaseRefused(f"The database {database.shown} refused: {reason}. {changed}.") from error
    except sa.exc.TimeoutError as error:
        raise DatabaseRefused(f"The database {database.shown} gave no connection within 30 s. Nothing was changed.") from error
