"""`guardrails jobs list|show|dead|stats`: the book, read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import click

from guardrails.cli import job_names, job_text, output, runtimes, shown
from guardrails.cli.job_page import page
from guardrails.report.ink import Ink
from guardrails.report.safe import visible
from guardrails.report.tally import count

if TYPE_CHECKING:
    from guardrails.runtime.store.reading import Reading, Seen

Form = Literal["text", "json"]
STATUSES = ("queued", "running", "retrying", "done", "dead", "cancelled")
FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to show it.")


def _statuses(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    found = tuple(name.strip() for value in values for name in value.split(",") if name.strip())
    for name in found:
        if name not in STATUSES:
            raise click.BadParameter(f"{name!r} is none of {', '.join(STATUSES)}")
    return found


STATUS = click.option(
    "--status", "statuses", multiple=True, callback=_statuses, metavar="STATUS", help=f"Only these: {', '.join(STATUSES)}."
)
QUEUE = click.option("--queue", metavar="NAME", help="Only jobs of this queue.")
NAME = click.option("--name", metavar="NAME", help="Only jobs of this name.")
LIMIT = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many at most.")


@click.command("list", short_help="Jobs, the newest first.", epilog=runtimes.example("list --status dead,retrying --name charge"))
@STATUS
@QUEUE
@NAME
@LIMIT
@FORMAT
@runtimes.asked
def listed(
    statuses: tuple[str, ...], queue: str | None, name: str | None, limit: int, form: Form, app: str | None, database: str | None
) -> int:
    """Show jobs, the newest first, and whether there is a worker for those that wait.

    FAILED is how many runs failed, of how many a job has: `runs` and `attempts` in JSON.
    """
    with runtimes.faults():
        reading = runtimes.reading(app, database)
        found = reading.jobs(statuses, queue, name, limit + 1)
        if form == "json":
            _json(reading, found[:limit])
            return 0
        ink, columns = Ink(shown.color()), shown.columns()
        lines = list(_rows(found[:limit], ink, columns)) if found else [_nothing(reading, statuses, queue, name)]
        if len(found) > limit:
            lines.append(ink(f"There are more than {limit}: --limit shows them, --status, --queue and --name choose.", "quiet"))
        lines += _alone(reading, app)
        output.emit("\n".join(lines) + "\n", ink.color)
    return 0


def _rows(found: list[Seen], ink: Ink, columns: int) -> Iterable[str]:
    now, ids = time.time(), job_text.short_ids([job.id for job in found])
    rows = [(ids[job.id], job.status, job.name, job.key, f"{job.runs}/{job.attempts}", job.queue, _note(job, now)) for job in found]
    return job_text.table(("ID", "STATUS", "NAME", "KEY", "FAILED", "QUEUE", "WHEN"), rows, ink, columns, paint=1)


def _nothing(reading: Reading, statuses: tuple[str, ...], queue: str | None, name: str | None) -> str:
    if not statuses and queue is None and name is None:
        return "No job is kept here."
    return visible(job_names.unmatched(reading, "job", statuses, queue, name))


def _note(job: Seen, now: float) -> str:
    from guardrails.runtime.shown import Glass

    match job.status:
        case "queued" | "retrying" if job.due is not None and job.due > now:
            when = job_text.away(job.due, now)
        case "running" if job.started is not None:
            when = f"for {job_text.span(max(0.0, now - job.started))}" + (", to be cancelled" if job.cancel else "")
        case _:
            when = job_text.away(job.finished or job.created, now)
    return when if job.error is None else f"{when}: {Glass(job).text(job.error)}"


def _json(reading: Reading, found: list[Seen], **more: Any) -> None:
    from guardrails.runtime.shown import job as told

    waiting = sum(each["queued"] + each["retrying"] for each in reading.counts().values())
    data = {"jobs": [told(one) for one in found], "waiting": waiting, "workers": len(reading.workers()), **more}
    output.emit(json.dumps(data, indent=2) + "\n")


def _alone(reading: Reading, app: str | None) -> Iterator[str]:
    """One line where jobs wait and nobody works."""
    waiting = sum(each["queued"] + each["retrying"] for each in reading.counts().values())
    if waiting and not reading.workers():
        verb = "waits" if waiting == 1 else "wait"
        yield f"No worker is running and {count(waiting, 'job')} {verb}: start one with `guardrails worker {visible(app or 'APP')}`."


@click.command("show", short_help="Everything about one job.", epilog=runtimes.example("show 019ab3f0c2d1"))
@click.argument("job", metavar="ID")
@FORMAT
@runtimes.asked
def show(job: str, form: Form, app: str | None, database: str | None) -> int:
    """Show one job: its payload, attempts, errors, next run, steps and streams."""
    with runtimes.faults():
        reading = runtimes.reading(app, database)
        data = page(reading, reading.job(job))
        if form == "json":
            output.emit(json.dumps(data, indent=2) + "\n")
            return 0
        from guardrails.cli.job_page import lines

        ink = Ink(shown.color())
        output.emit("\n".join(lines(data, ink, shown.columns())) + "\n", ink.color)
    return 0


@click.command("dead", short_help="Dead letters, with what brings them back.", epilog=runtimes.example("dead --queue mail"))
@QUEUE
@NAME
@LIMIT
@FORMAT
@runtimes.asked
def dead(queue: str | None, name: str | None, limit: int, form: Form, app: str | None, database: str | None) -> int:
    """Show jobs that failed for good, with their errors and the command that queues them again."""
    with runtimes.faults():
        reading = runtimes.reading(app, database)
        found = reading.jobs(("dead",), queue, name, limit)
        if form == "json":
            _json(reading, found)
            return 0
        ink = Ink(shown.color())
        output.emit("\n".join(_letters(found, ink, shown.columns()) if found else [_no_letter(reading, queue, name)]) + "\n", ink.color)
    return 0


def _no_letter(reading: Reading, queue: str | None, name: str | None) -> str:
    if queue is None and name is None:
        return "There is no dead letter."
    return visible(job_names.unmatched(reading, "dead letter", (), queue, name))


def _letters(found: list[Seen], ink: Ink, columns: int) -> Iterator[str]:
    from guardrails.runtime.shown import Glass

    now, ids = time.time(), job_text.short_ids([job.id for job in found])
    for job in found:
        died = f"died {job_text.away(job.finished or job.created, now)} after {count(job.runs, 'run')}"
        head = job_text.cut(visible(f"{job.name} {job.key}"), columns - len(died) - 1)
        yield f"{ink(head, 'strong')} {ink(died, 'quiet')}"
        for line in job_text.folded(Glass(job).text(job.error or "no error was told"), columns - 2):
            yield f"  {ink(line, 'error')}"
        yield f"  guardrails jobs requeue {ids[job.id]}"
    for name in sorted({job.name for job in found if sum(other.name == job.name for other in found) > 1}):
        yield ink(f"All of {visible(name)}: guardrails jobs requeue --all --name {visible(name)}", "quiet")


@click.command(
    "stats",
    short_help="How many jobs in which queue, and who works.",
    epilog=runtimes.example("stats --database postgresql://localhost/shop"),
)
@FORMAT
@runtimes.asked
def stats(form: Form, app: str | None, database: str | None) -> int:
    """Show how many jobs each queue has in each status, how long the oldest waits, and which workers live.

    JSON: {"queues": {NAME: {STATUS: N, .., "oldest_waiting": SECONDS or null}}, "workers": [{"worker", "host", "pid", "queues",
    "started", "renewed", "expires"}]}.
    """
    with runtimes.faults():
        from guardrails.runtime.home import home
        from guardrails.runtime.store.waiting import ages

        reading = runtimes.reading(app, database)
        counts, oldest, workers = reading.counts(), ages(home().database), reading.workers()
        if form == "json":
            queues = {name: {**each, "oldest_waiting": oldest.get(name)} for name, each in counts.items()}
            output.emit(json.dumps({"queues": queues, "workers": workers}, indent=2) + "\n")
            return 0
        ink, columns = Ink(shown.color()), shown.columns()
        rows = [(name, *map(str, each.values()), job_text.span(oldest[name]) if name in oldest else "-") for name, each in counts.items()]
        heads = ("QUEUE", *(status.upper() for status in STATUSES), "OLDEST WAITS")
        lines = [*job_text.table(heads, rows, ink, columns)] if rows else ["No job is kept here."]
        lines += [_worker(each) for each in workers] or [*_alone(reading, app)] or ["No worker is running."]
        output.emit("\n".join(lines) + "\n", ink.color)
    return 0


def _worker(lease: dict[str, Any]) -> str:
    since = job_text.away(lease["started"], time.time())
    return visible(f"worker {lease['worker']} ({', '.join(lease['queues'])}), started {since}")
