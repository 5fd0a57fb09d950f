"""`guardrails jobs requeue|cancel|purge`: what people do to jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from guardrails.cli import runtimes
from guardrails.cli.program import MISTAKE, Mistake, say
from guardrails.report.safe import visible
from guardrails.report.tally import count

if TYPE_CHECKING:
    from guardrails.runtime.store.reading import Reading

MANY = 10  # jobs that are purged without a question
BATCH = 200
IDS = click.argument("jobs", nargs=-1, metavar="[ID]...")


@click.command("requeue", short_help="Queue dead or cancelled jobs again.", epilog=runtimes.example("requeue --all --name charge"))
@IDS
@click.option("--all", "every", is_flag=True, help="All dead letters of --name.")
@click.option("--name", metavar="NAME", help="The job's name, with --all.")
@click.option("--from-start", is_flag=True, help="Run finished steps again, too.")
@runtimes.asked
def requeue(jobs: tuple[str, ...], every: bool, name: str | None, from_start: bool, app: str | None, database: str | None) -> int:
    """Queue dead or cancelled jobs again, with their payloads and all their attempts; steps that were finished are not run again."""
    if bool(jobs) == every or every != (name is not None):
        raise Mistake("name the jobs by their ids, or say --all --name NAME for all dead letters of a job.")
    with runtimes.faults():
        from guardrails.runtime.home import home

        reading = runtimes.reading(app, database)
        ids = _dead(reading, str(name)) if every else [reading.job(job).id for job in jobs]
        if not ids:
            say(f"no job called {name} is dead.")
        return _each(ids, lambda job: f"queued again (generation {home().jobs.requeue(job, from_start)})")


def _dead(reading: Reading, name: str) -> list[str]:
    ids: list[str] = []
    while found := reading.jobs(("dead",), None, name, 500, ids[-1] if ids else None):
        ids += [job.id for job in found]
    return ids[::-1]


@click.command("cancel", short_help="Stop jobs, or take them out of their queue.", epilog=runtimes.example("cancel 019ab3f0c2d1 --app app"))
@IDS
@runtimes.asked
def cancel(jobs: tuple[str, ...], app: str | None, database: str | None) -> int:
    """Cancel jobs: those that wait at once, a running one within a second, by its worker, with all its processes."""
    if not jobs:
        raise Mistake("name the jobs by their ids: guardrails jobs cancel ID.")
    with runtimes.faults():
        from guardrails.runtime.home import home

        reading = runtimes.reading(app, database)
        told = {"cancelled": "cancelled", "running": "its worker stops it"}
        ids = [reading.job(job).id for job in jobs]
        return _each(ids, lambda job: told[home().jobs.cancel(job)])


def _each(ids: Sequence[str], act: Callable[[str], str]) -> int:
    """Do it to each, and say what came of it; one that is refused does not keep the others from it."""
    from guardrails.runtime.errors import WrongState

    status = 0
    for job in ids:
        try:
            click.echo(f"{job} {act(job)}")
        except WrongState as refused:
            say(str(refused))
            status = MISTAKE
    return status


@click.command("purge", short_help="Remove jobs that are over.", epilog=runtimes.example("purge --dead --older-than 30"))
@IDS
@click.option("--dead", is_flag=True, help="All dead letters that are old enough.")
@click.option("--older-than", type=click.FloatRange(0), metavar="DAYS", help="How old, with --dead.")
@click.option("--forget-key", is_flag=True, help="Forget their keys, too: the same work can then be queued, and done, again.")
@click.option("-y", "--yes", is_flag=True, help=f"Do not ask before more than {MANY} jobs are removed.")
@runtimes.asked
def purge(
    jobs: tuple[str, ...], dead: bool, older_than: float | None, forget_key: bool, yes: bool, app: str | None, database: str | None
) -> int:
    """Remove jobs that are over, with their events, logs and streams. Their keys stay, so that the same work is not done again."""
    if bool(jobs) == dead or dead != (older_than is not None):
        raise Mistake("name the jobs by their ids, or say --dead --older-than DAYS (0: all dead letters).")
    with runtimes.faults():
        from guardrails.runtime.home import home
        from guardrails.runtime.store.upkeep import Upkeep
        from guardrails.runtime.store.waiting import dead_for

        reading = runtimes.reading(app, database)
        ids = dead_for(home().database, older_than or 0.0) if dead else list(dict.fromkeys(reading.job(job).id for job in jobs))
        if len(ids) > MANY and not yes:
            _ask(len(ids), forget_key)
        upkeep = Upkeep(home().database, home().client)
        for at in range(0, len(ids), BATCH):
            upkeep.remove(ids[at : at + BATCH], forget_key)
        click.echo(visible(f"{count(len(ids), 'job')} removed; {'their keys are forgotten' if forget_key else 'their keys stay'}."))
    return 0


def _ask(number: int, forget_key: bool) -> None:
    keys = " and forget their keys, so that their work can be done again" if forget_key else ""
    try:
        sure = click.confirm(f"Remove {number} jobs for good{keys}?", err=True)
    except click.Abort:
        raise Mistake("nothing was removed: say --yes where nobody can answer.") from None
    if not sure:
        raise Mistake("nothing was removed.")
