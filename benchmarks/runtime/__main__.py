"""Measure the runtime and its peers: speed in interleaved rounds, then what each loses when workers are killed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click

from . import measure, report, servers
from .systems import SYSTEMS, System, place

NEEDS = {"raw_dbos": "dbos", "on_celery": "celery", "on_procrastinate": "procrastinate"}


@click.command()
@click.option("--jobs", default=1000, show_default=True, help="Jobs of one enqueue round.")
@click.option("--rounds", default=3, show_default=True, help="Alternating rounds.")
@click.option("--kills", default=6, show_default=True, help="SIGKILLs of the run that counts losses; 0: no such run.")
@click.option("--only", multiple=True, metavar="WORD", help="Measure only the systems whose name holds this; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Print every single value as JSON.")
def main(jobs: int, rounds: int, kills: int, only: tuple[str, ...], as_json: bool) -> None:
    """Compare job systems on this machine, in one run."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and workers are stopped
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        started = _servers(folder, stack)
        systems = [system for system in SYSTEMS if _chosen(system, only) and _there(system, started)]
        figures = {system.name: measure.Figures() for system in systems}
        for number in range(rounds):
            for system in systems if number % 2 == 0 else systems[::-1]:
                if not system.only_losses:
                    _say(f"round {number + 1} of {rounds}: {system.name}")
                    with place(system, started, folder) as here:
                        measure.flow(here, jobs, figures[system.name])
                    with place(system, started, folder) as here:
                        measure.rest(here, figures[system.name])
        for system in systems if kills else []:
            _say(f"{kills} kills: {system.name}")
            with place(system, started, folder) as here:
                figures[system.name].losses = measure.losses(here, max(40, jobs // 5), kills)
    click.echo(report.as_json(figures) if as_json else report.table(figures))
    if not as_json:
        click.echo("\n".join(report.judged(figures)))


def _servers(folder: Path, stack: contextlib.ExitStack) -> dict[str, Callable[[], str]]:
    started: dict[str, Callable[[], str]] = {}
    try:
        started["postgres"] = stack.enter_context(servers.postgres(folder))
    except servers.Absent as absent:
        _say(str(absent))
    try:
        address = stack.enter_context(servers.redis(folder))
        started["redis"] = lambda: address
    except servers.Absent as absent:
        _say(str(absent))
    return started


def _chosen(system: System, only: tuple[str, ...]) -> bool:
    return not only or any(word.lower() in system.name.lower() for word in only)


def _there(system: System, started: dict[str, Callable[[], str]]) -> bool:
    if system.server != "sqlite" and system.server not in started:
        return False
    package = NEEDS.get(system.module)
    if package and importlib.util.find_spec(package) is None:
        _say(f"{system.name} is skipped: pip install {package}.")
        return False
    return True


def _say(line: str) -> None:
    click.echo(f"{line}  (load {os.getloadavg()[0]:.1f})", err=True)


if __name__ == "__main__":
    main()
