"""`guardrails worker`: drain the queues of an application."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from guardrails.cli import runtimes
from guardrails.cli.program import Mistake, say
from guardrails.report.tally import count

EPILOG = """\b
Examples:
  guardrails worker app                          all queues of app.py, until it is stopped
  guardrails worker shop.jobs --queues mail      one queue
  guardrails worker app --concurrency 16         16 jobs of each queue at once
  guardrails worker app --drain                  until nothing waits, then end
  guardrails worker app --database postgresql://localhost/shop

\b
SIGTERM or Ctrl-C: claim nothing more, give running jobs the grace period, hand the rest back; a second one ends at once.
Exit status: 0 stopped or drained, 2 usage error, 75 others took this worker for dead (start it again).
"""


@click.command("worker", short_help="Run the jobs of an application (the reference runtime).", epilog=EPILOG)
@click.argument("app", metavar="APP")
@click.option("--queues", metavar="NAMES", help="Only these queues, separated by commas.")
@click.option("--concurrency", type=click.IntRange(1, 1000), help="Jobs of each queue at once, in place of what the queues declare.")
@click.option("--once", is_flag=True, help="Run one job to its end, then stop.")
@click.option("--drain", is_flag=True, help="Stop once nothing waits or runs in these queues.")
@click.option("--grace", type=click.FloatRange(0, 3600), metavar="SECONDS", help="What running jobs get after SIGTERM.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the worker's own log is written, on stderr.",
)
@click.option("-q", "--quiet", is_flag=True, help="Log warnings and errors only.")
@runtimes.DATABASE
def command(
    app: str,
    queues: str | None,
    concurrency: int | None,
    once: bool,
    drain: bool,
    grace: float | None,
    log_format: str,
    quiet: bool,
    database: str | None,
) -> None:
    """Run the jobs that APP (a module such as shop.jobs, or a file) declares.

    At-least-once execution, one recorded outcome: a job whose worker dies is run again. On SQLite one worker serves a database, on
    PostgreSQL as many as you start.
    """
    if once and drain:
        raise Mistake("--once and --drain are two ways to end: give one of them.")
    with runtimes.faults():
        from guardrails.runtime import settings
        from guardrails.runtime.logs import format as logformat

        logformat.configure("json" if log_format == "json" else "text", "WARNING" if quiet else "INFO")
        runtimes.load(app, database)
        if grace is not None:
            settings.configure(grace=grace)
        status = _serve(app, [name.strip() for name in (queues or "").split(",") if name.strip()], concurrency, once, drain)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # threads that the engine leaves behind must not hold the process


def _serve(app: str, names: list[str], concurrency: int | None, once: bool, drain: bool) -> int:
    from guardrails.runtime.errors import RuntimeFault
    from guardrails.runtime.work import worker

    if once:
        until: worker.Until = "one"
    else:
        until = "drained" if drain else "stopped"
    plan = worker.plan(app, names, concurrency, until)
    if not plan.jobs:
        raise Mistake(f"{app} declares no job: put @runtime.job(timeout=.., key=..) on a function of it.")

    working = worker.Worker(plan)
    worker.on_signals(working)
    served = ", ".join(f"{queue.name} ({queue.concurrency} at once)" for queue in plan.queues)
    status = working.serve(lambda: say(f"worker {working.id} serves {served} of {working.shown}."))
    if drain and status == 0:
        with suppress(RuntimeFault):  # it has drained, whatever the database does now
            _left(names)
    return status


def _left(queues: Sequence[str]) -> None:
    """Say which jobs still wait because nothing here is declared for them."""
    from guardrails.runtime.declare import registry
    from guardrails.runtime.home import home
    from guardrails.runtime.store.reading import Reading

    left = {name: number for name, number in Reading(home().database).waiting(queues).items() if name not in registry.jobs}
    if left:
        total = sum(left.values())
        say(f"{count(total, 'job')} still {'waits' if total == 1 else 'wait'}: no job called {' or '.join(left)} is declared here.")
