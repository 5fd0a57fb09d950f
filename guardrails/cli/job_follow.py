"""`guardrails jobs log|events`: what a job said and what befell it, also while it goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from guardrails.cli import job_text, output, runtimes, shown
from guardrails.cli.job_look import FORMAT, Form
from guardrails.report.ink import Ink
from guardrails.report.safe import visible, visible_code

if TYPE_CHECKING:
    from guardrails.runtime.store.reading import Reading, Seen

EVERY = 0.3  # seconds between two looks into the book
PAGE = 1000
_OWN = ("job", "name", "attempt", "queue")
_STYLES = {"ERROR": "error", "CRITICAL": "error", "WARNING": "warning", "stderr": "warning"}
FOLLOW = click.option("-f", "--follow", is_flag=True, help="Go on until the job has ended.")


@click.command("log", short_help="A job's log.", epilog=runtimes.example("log 019ab3f0c2d1 --follow"))
@click.argument("job", metavar="ID")
@FOLLOW
@FORMAT
@runtimes.asked
def log(job: str, follow: bool, form: Form, app: str | None, database: str | None) -> int:
    """Show what a job's attempts logged and printed.

    JSON is one object a line: {"id", "run", "level", "message", "fields", "at"}; level is stdout or stderr for what was printed.
    """

    def from_line(glass: Any, reading: Reading, seen: Seen, after: int) -> list[tuple[int, dict[str, Any]]]:
        from guardrails.runtime.shown import line

        return [(found[0], line(glass, found)) for found in reading.lines(seen.id, after, PAGE)]

    return _tell(job, follow, form, app, database, from_line, _line)


@click.command("events", short_help="What befell a job, in order.", epilog=runtimes.example("events 019ab3f0c2d1 --format json"))
@click.argument("job", metavar="ID")
@FOLLOW
@FORMAT
@runtimes.asked
def events(job: str, follow: bool, form: Form, app: str | None, database: str | None) -> int:
    """Show a job's events: Queued, Started, Progress, AttemptFailed, RetryScheduled, TimedOut, Done, DeadLettered ..

    JSON is one object a line: {"seq", "type", "run", "at", "data"}.
    """

    def from_event(glass: Any, reading: Reading, seen: Seen, after: int) -> list[tuple[int, dict[str, Any]]]:
        from guardrails.runtime.shown import event

        return [(told.seq, event(glass, told)) for told in reading.events(seen.id, after, PAGE)]

    return _tell(job, follow, form, app, database, from_event, _event)


def _tell(
    job: str,
    follow: bool,
    form: Form,
    app: str | None,
    database: str | None,
    ask: Callable[[Any, Reading, Seen, int], list[tuple[int, dict[str, Any]]]],
    render: Callable[[dict[str, Any], Ink], Iterator[str]],
) -> int:
    with runtimes.faults():
        from guardrails.runtime.shown import Glass
        from guardrails.runtime.store.tables import ENDED

        reading = runtimes.reading(app, database)
        seen, ink, after = reading.job(job), Ink(form == "text" and shown.color()), 0
        glass = Glass(seen)
        while True:
            over = reading.job(seen.id).status in ENDED  # asked first: what is there after its end is all there is
            while found := ask(glass, reading, seen, after):
                after = found[-1][0]
                text = [json.dumps(one) for _, one in found] if form == "json" else [line for _, one in found for line in render(one, ink)]
                output.emit("\n".join(text) + "\n", ink.color)
            if over or not follow:
                return 0
            time.sleep(EVERY)


def _line(line: dict[str, Any], ink: Ink) -> Iterator[str]:
    fields = {name: value for name, value in line["fields"].items() if name not in _OWN}
    trace = fields.pop("exception", "")
    level = ink(f"{line['level']:7}", _STYLES.get(line["level"], "quiet"))
    rest = "".join(f" {visible(name)}={visible(value)}" for name, value in fields.items())
    first, *more = line["message"].split("\n")
    yield f"{ink(job_text.clock(line['at']), 'quiet')} {line['run']} {level} {visible_code(first)}{rest}"
    yield from (f"    {visible_code(each)}" for each in [*more, *trace.splitlines()])


def _event(event: dict[str, Any], ink: Ink) -> Iterator[str]:
    data = {name: value for name, value in event["data"].items() if name != "traceback"}
    told = " ".join(f"{visible(name)}={job_text.compact(value)}" for name, value in data.items())
    run = f"run {event['run']}" if event["run"] else ""
    yield f"{event['seq']:>3} {ink(job_text.clock(event['at']), 'quiet')} {event['type']:15} {run:7} {told}".rstrip()
