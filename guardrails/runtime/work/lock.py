"""One worker process for each SQLite file: its limits and claims hold within one process only. PostgreSQL takes as many as there are."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from guardrails.runtime.errors import DatabaseRefused
from guardrails.runtime.store.database import Database


@contextmanager
def only_worker(database: Database) -> Iterator[None]:
    """Hold the file's lock while working; raises DatabaseRefused where another worker holds it.

    The system frees it when the process dies.
    """
    if database.dialect != "sqlite":
        yield
        return
    name = str(database.url.database)
    path = Path(f"{name if name.startswith('file:') else Path(name).resolve()}.worker")  # not by a link's name
    with path.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DatabaseRefused(
                f"Another worker already serves {database.url.database}: a SQLite file takes one worker process. "
                "Raise that one's --concurrency, or move to PostgreSQL to spread the work (GUARDRAILS_DATABASE_URL=postgresql://..)."
            ) from error
        yield
