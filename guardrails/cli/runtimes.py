"""What the commands of the runtime share: the application, the database, and faults as one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from guardrails.cli.program import Mistake
from guardrails.runtime import EXTRA

if TYPE_CHECKING:
    from guardrails.runtime.declare import Registry
    from guardrails.runtime.store.reading import Reading

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
    if error.name and error.name.split(".")[0] in EXTRA:
        return Mistake(f"this command needs {error.name}, which is not installed: pip install 'worker-guardrails[worker]'.")
    return error


def load(app: str | None, database: str | None) -> None:
    """Import the application, where one is named, and use the database that was asked for."""
    import os

    from guardrails.runtime import home, settings  # noqa: F401 -- what an extra brings is missed here, not in the application
    from guardrails.runtime.pool import application

    if database is not None:
        os.environ[settings.VARIABLE] = database  # the children of a worker see it, too
    if app is not None:
        application.load(app)
    if database is not None:
        settings.configure(database=database)


def example(*lines: str) -> str:
    """The end of a command's help."""
    return "\n".join(["\b", "Example:", *(f"  guardrails jobs {line}" for line in lines)])


def asked(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that name the application and the database."""
    return APP(DATABASE(command))


def reading(app: str | None, database: str | None) -> Reading:
    """The book of the database that was asked for; one that is not there is not made."""
    load(app, database)
    from pathlib import Path

    import sqlalchemy as sa

    from guardrails.runtime import settings
    from guardrails.runtime.home import home
    from guardrails.runtime.store.reading import Reading

    place = settings.current().database
    if place.startswith("sqlite") and (file := sa.make_url(place).database) and not Path(file).exists():
        raise Mistake(f"there is no database {file} yet: queue a job first, go to where it is, or name it with --database.")
    return Reading(home().database)


def declared(app: str | None, database: str | None) -> Registry:
    """What the application declares; it must be named."""
    if app is None:
        raise Mistake("this needs the application that declares the jobs: name it with --app APP, or set GUARDRAILS_APP.")
    load(app, database)
    from guardrails.runtime.declare import registry

    if not registry.jobs:
        raise Mistake(f"{app} declares no job: put @runtime.job(timeout=.., key=..) on a function of it.")
    return registry
