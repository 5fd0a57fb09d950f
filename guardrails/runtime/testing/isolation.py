"""A runtime of a test's own: a fresh database, its own blobs, and everything put back afterwards."""

import atexit
import functools
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from guardrails.runtime import home, settings
from guardrails.runtime.declare import registry
from guardrails.runtime.store.database import Database
from guardrails.runtime.testing import faults, lent, working


@contextmanager
def isolated(folder: Path | str | None = None, *, database: str | None = None) -> Iterator[Path]:
    """Give a test its own SQLite file and its own folder of blobs; yields the folder (default: a temporary one).

    `database` names another database for it, such as a PostgreSQL of the test's, which is used as it is. Afterwards settings, the
    environment and what was declared before are as they were; what the test declared itself is forgotten.
    """
    before, variable, declared, outer = settings._current, os.environ.get(settings.VARIABLE), _declared(), lent.present
    with tempfile.TemporaryDirectory(prefix="guardrails-test-", ignore_cleanup_errors=True) as temporary:
        place = Path(folder) if folder is not None else Path(temporary)
        url = database or _fresh(place)
        try:
            os.environ[settings.VARIABLE] = url
            settings.configure(database=url, blobs=str(place / "blobs"))
            lent.present = url
            yield place
        finally:
            lent.present = outer
            home.close()
            settings._current = before
            _restore(declared)
            faults.forget()
            working.forget()
            os.environ.pop(settings.VARIABLE)
            if variable is not None:
                os.environ[settings.VARIABLE] = variable


def _fresh(place: Path) -> str:
    """The URL of a new database in a folder: a copy of one that was prepared once."""
    place.mkdir(parents=True, exist_ok=True)
    path = place / "jobs.db"
    url = sa.URL.create("sqlite", database=str(path.absolute())).render_as_string()
    if not path.exists():
        shutil.copy(_prepared(), path)
        database = Database(url)
        with database.engine.begin() as connection:  # its own identity: no two databases may pass for one
            connection.execute(
                sa.update(database.tables.meta).where(database.tables.meta.c.name == "id").values(value=secrets.token_hex(16))
            )
        database.close()
    return url


@functools.cache
def _prepared() -> Path:
    """A SQLite file with all tables, made once in a process."""
    folder = tempfile.mkdtemp(prefix="guardrails-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    database = Database(sa.URL.create("sqlite", database=f"{folder}/prepared.db").render_as_string())
    database.prepare()
    database.close()
    return Path(folder) / "prepared.db"


def _declared() -> dict[str, dict[str, object] | list[object]]:
    return {name: part.copy() for name, part in vars(registry).items()}


def _restore(declared: dict[str, dict[str, object] | list[object]]) -> None:
    registry.clear()
    for name, part in declared.items():
        known = getattr(registry, name)
        known.update(part) if isinstance(part, dict) else known.extend(part)
