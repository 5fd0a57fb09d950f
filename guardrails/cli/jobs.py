"""`guardrails jobs`: look at jobs, follow them, bring them back, try them."""

from __future__ import annotations

import click

from guardrails.cli import job_change, job_follow, job_look, job_schema, job_try

EPILOG = """\b
Examples:
  guardrails jobs list --status running,retrying
  guardrails jobs show 019ab3f0c2d1              an id may be cut short while only one job begins so
  guardrails jobs log 019ab3f0c2d1 --follow
  guardrails jobs dead                           dead letters, with what brings them back
  guardrails jobs requeue --all --name charge
  guardrails jobs try charge --app app --payload '{"order_id": "7"}'

\b
With --format json, list and dead print {"jobs": [JOB..], "waiting": N, "workers": N}, show prints
JOB with "attempts_made", "steps" and "streams", and log and events print one object a line.
JOB has: id, key, name, queue, status, version, runs, attempts, start, generation, worker, cancel,
payload, error, result, progress, created, due, started, finished. Times are epoch seconds; `runs`
of `attempts` failed (ran out of time and died with their worker, too), `start` counts all runs.
What a payload declares Sensitive is never shown; without --app only the payload's keys are.

\b
Exit status: 0, 1 when a tried job failed, 2 usage error, unknown id or refused by the job's status.
"""


@click.group("jobs", short_help="Look at jobs, requeue, cancel, purge and try them (the reference runtime).", epilog=EPILOG)
def command() -> None:
    """Look at the jobs of the reference runtime, follow them, bring dead ones back, try one out."""


for _one in (
    job_look.listed,
    job_look.show,
    job_follow.log,
    job_follow.events,
    job_look.dead,
    job_change.requeue,
    job_change.cancel,
    job_change.purge,
    job_look.stats,
    job_schema.schema,
    job_try.attempt,
):
    command.add_command(_one)
