"""This process's way to its jobs: one database, opened when first needed, closed when the settings name another."""

import os
import threading
from dataclasses import dataclass

from guardrails.runtime import settings
from guardrails.runtime.declare import registry
from guardrails.runtime.engine import Client
from guardrails.runtime.errors import DatabaseRefused
from guardrails.runtime.store.database import Database
from guardrails.runtime.store.jobs import Jobs


@dataclass(frozen=True)
class Home:
    """A database with what speaks to it."""

    database: Database
    client: Client
    jobs: Jobs


_lock = threading.RLock()
_open: Home | None = None
_opened_for = ""
_shared = False  # other threads are at the SQLite file while this process is forked
_torn = ""  # the URL of a SQLite file that other threads were at when this process was forked


def prepare() -> None:
    """Make the tables where they are missing, when an application starts; else the first use does. Raises DatabaseRefused."""
    home()


def home(*, make: bool = True) -> Home:
    """The home of the present settings; a forked process opens its own. Raises DatabaseRefused.

    With `make=False` missing tables are refused: within a transaction of the caller they cannot be made.
    """
    global _open, _opened_for
    wanted = settings.current().database
    with _lock:
        if _torn == wanted:
            raise DatabaseRefused(
                "This process was forked while other threads were at the SQLite file of the jobs, whose locks it cannot tell apart now: "
                "fork before threads use the runtime, or start processes by `spawn`."
            )
        if _open is None or _opened_for != wanted or not _open.database.there():
            if _open is not None:
                _open.database.close()
            _open, _opened_for = opened(wanted), wanted
        if make:
            _open.database.prepare()
        else:
            _open.database.require()
        return _open


def opened(url: str) -> Home:
    """A home of one's own; its tables are made when they are first used."""
    database = Database(url)
    client = Client(database)
    return Home(database, client, Jobs(database, client, registry.status_hooks))


def close() -> None:
    """Close this process's connections; the next use opens them again."""
    global _open
    with _lock:
        if _open is not None:
            _open.client.close()
            _open.database.close()
        _open = None


def _before_fork() -> None:
    """SQLite's locks belong to a process: a connection that a child inherits holds none, and the file's log may be removed below it."""
    global _shared
    _lock.acquire()
    _shared = False
    if _open is not None and _open.database.dialect == "sqlite":
        _shared = _open.database.busy
        _open.database.close()


def _forked() -> None:
    """The child: what the parent has open is not its own, and it is opened anew."""
    global _lock, _open, _torn
    _lock = threading.RLock()
    _torn = _opened_for if _shared else ""
    if _open is not None:
        _kept.append(_open)
    _open = None


_kept: list[Home] = []
"""Of the parent: never closed here, as the connections are the parent's, too."""
settings.on_change(close)
os.register_at_fork(before=_before_fork, after_in_parent=lambda: _lock.release(), after_in_child=_forked)
