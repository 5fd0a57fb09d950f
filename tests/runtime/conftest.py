"""Both databases: a fresh SQLite file, and a database of a real PostgreSQL server that each test process starts once."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

pytest.importorskip("dbos", reason="the runtime's tests need the extra [worker]")

from guardrails.runtime import testing
from guardrails.runtime.store.database import Database
from tests.runtime.servers import Postgres

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this test process; its folder must be open to the account that it runs as when we are root."""
    with tempfile.TemporaryDirectory(prefix="guardrails-postgres-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder) / "data")
        yield server
        server.stop()


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables."""
    path = tmp_path_factory.mktemp("sqlite") / "prepared.db"
    database = Database(f"sqlite:///{path}")
    database.prepare()
    database.close()
    return path


@pytest.fixture(scope="session")
def prepared_postgres(postgres: Postgres) -> str:
    """The name of a database with all tables."""
    database = Database(postgres.create("prepared"))
    database.prepare()
    database.close()
    return "prepared"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh, prepared database; the test runs once on each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("prepared_sqlite"), tmp_path / "jobs.db")
        return f"sqlite:///{quote(str(tmp_path / 'jobs.db'))}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create(f"test{next(_numbers)}", template=request.getfixturevalue("prepared_postgres"))


@pytest.fixture
def database(url: str) -> Iterator[str]:
    """The runtime is configured with a fresh database; declared jobs are forgotten afterwards."""
    with testing.isolated(database=url):
        yield url


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The drills' application in a folder of its own, for real workers to import."""
    folder = tmp_path / "app"
    folder.mkdir()
    monkeypatch.setenv("TEST_FOLDER", str(folder))
    return Path(shutil.copy(Path(__file__).parent / "app_drill.py", folder / "app.py"))
