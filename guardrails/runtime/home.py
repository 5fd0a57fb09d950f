"""This process's way to its jobs: one database, opened when first needed, closed when the settings name another."""

import os
import threading
from dataclasses import dataclass

from guardrails.runtime import settings
from guardrails.runtime.declare import registry
from guardrails.runtime.engine import Client
from guardrails.runtime.store.database import Database
from guardrails.runtime.store.jobs import Jobs


@dataclass(frozen=True)
class Home:
    """A database with what speaks to it."""

    database: Database
    client: Client
    jobs: Jobs


_lock = threading.Lock()
_open: Home | None = None
_opened_by: tuple[int, str] | None = None


def prepare() -> None:
    """Make the tables where they are missing, when an application starts; else the first use does. Raises DatabaseRefused."""
    home()


def home(*, make: bool = True) -> Home:
    """The home of the present settings; a forked process opens its own. Raises DatabaseRefused.

    With `make=False` missing tables are refused: within a transaction of the caller they cannot be made.
    """
    global _open, _opened_by
    wanted = (os.getpid(), settings.current().database)
    with _lock:
        if _open is None or _opened_by != wanted:
            if _open is not None and _opened_by is not None and _opened_by[0] == wanted[0]:
                _open.database.close()
            _open, _opened_by = opened(wanted[1]), wanted
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


settings.on_change(close)
