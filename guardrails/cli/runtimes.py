"""What the commands of the runtime share: the application, the database, and faults as one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from guardrails.cli.program import Mistake

DATABASE = click.option(
    "--database",
    metavar="URL",
    help="Where the jobs are kept: sqlite:///jobs.db or postgresql://user:password@host/name. "
    "[default: $GUARDRAILS_DATABASE_URL, else ./guardrails.db]",
)
APP = click.option(
    "--app",
    metavar="APP",
    envvar="GUARDRAILS_APP",
    help="The application (module or file) that declares the jobs. [default: $GUARDRAILS_APP]",
)


@contextmanager
def faults() -> Iterator[None]:
    """Turn what the runtime refuses into one sentence and exit status 2."""
    try:
        from guardrails.runtime.errors import RuntimeFault
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    try:
        yield
    except RuntimeFault as fault:
        if fault.detail:
            click.echo(fault.detail.rstrip(), err=True)
        raise Mistake(str(fault)) from fault
    except ModuleNotFoundError as error:
        raise _missing(error) from error


def _missing(error: ModuleNotFoundError) -> Exception:
    if error.name and error.name.split(".")[0] in ("pydantic", "sqlalchemy", "dbos", "httpx", "starlette", "uvicorn", "cronsim", "psycopg"):
        return Mistake(f"this command needs {error.name}, which is not installed: pip install 'worker-guardrails[worker]'.")
    return error


def load(app: str | None, database: str | None) -> None:
    """Import the application, where one is named, and use the database that was asked for."""
    import os

    from guardrails.runtime import settings
    from guardrails.runtime.pool import application

    if database is not None:
        os.environ[settings.VARIABLE] = database  # the children of a worker see it, too
    if app is not None:
        application.load(app)
    if database is not None:
        settings.configure(database=database)


def asked(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name the application and the database."""
    return APP(DATABASE(command))
