"""`guardrails jobs try`: one light sample of a job, in a child process with the job's limit, and no row in the database."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guardrails.cli import job_text, output, runtimes, shown
from guardrails.cli.job_look import FORMAT, Form
from guardrails.cli.program import Mistake
from guardrails.report.ink import Ink
from guardrails.report.safe import visible, visible_code

if TYPE_CHECKING:
    from guardrails.runtime.declare import Job
    from guardrails.runtime.logs.redact import Redactor
    from guardrails.runtime.store.jobs import Ending, Started
    from guardrails.runtime.work.run import Passing

FAILED = 1


@click.command(
    "try",
    short_help="Run a job once, here and now, without queueing it.",
    epilog=runtimes.example("""try charge --app app --payload '{"order_id": "7"}'"""),
)
@click.argument("name")
@click.option("--payload", "given", required=True, metavar="JSON|@FILE", help="The payload, or @file.json, or @- for standard input.")
@FORMAT
@runtimes.asked
def attempt(name: str, given: str, form: Form, app: str | None, database: str | None) -> int:
    """Run a job's body once in a child process, under the job's time limit, and show what it logs, gives and takes.

    Nothing is queued and no outcome is recorded; what the body does to the world, it does. JSON: {"job", "key", "status", "seconds",
    "result", "error", "traceback", "log": [{"run", "level", "message", "fields", "at"}], "steps": {NAME: RESULT}, "progress": [{"done",
    "total", "note"}], "streams": {NAME: BYTES}}; status is done or failed.
    """
    with runtimes.faults():
        job = runtimes.declared(app, database).job(name)
        payload = job.shape.parse(_json(_read(given)))
        ink = Ink(form == "text" and shown.color())
        trial = _Trial(job, job.shape.dump(payload), job.key(payload), ink if form == "text" else None)
        data = trial.run(str(app))
    if form == "json":
        output.emit(json.dumps(data, indent=2) + "\n")
    else:
        _sum_up(data, ink)
    return 0 if data["status"] == "done" else FAILED


def _read(given: str) -> str:
    if not given.startswith("@"):
        return given
    try:
        return sys.stdin.read() if given == "@-" else Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "it is no UTF-8"
        raise Mistake(f"the payload cannot be read from {given[1:]}: {why}.") from None


def _json(text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise Mistake(
            f"--payload is not JSON: {error.msg[:1].lower()}{error.msg[1:]} (line {error.lineno}, column {error.colno})."
        ) from None
    return text


class _Trial:
    """One run, and what comes of it; `ink` tells it while it goes on."""

    def __init__(self, job: Job[Any, Any], payload: str, key: str, ink: Ink | None) -> None:
        from guardrails.runtime.logs.redact import Redactor
        from guardrails.runtime.store.jobs import Started

        self._job, self._ink = job, ink
        self._started = Started("trial", job.name, key, job.queue, job.shape.version, payload, 1, 0, 1, 1, 1, 1, time.time(), "")
        self._redactor: Redactor = Redactor(job.shape.sensitive(payload), job.shape.sensitive_names)
        self._log: list[dict[str, Any]] = []
        self._steps: dict[str, Any] = {}
        self._progress: list[dict[str, Any]] = []
        self._streams: dict[str, int] = {}

    def run(self, app: str) -> dict[str, Any]:
        """Run it; what came of it as JSON."""
        from guardrails.runtime.pool.warm import Pool
        from guardrails.runtime.work import run
        from guardrails.runtime.work.process import ProcessTalk

        pool = Pool(app, spares=0)
        try:
            talk = ProcessTalk(pool, run.task_of(self._started, {}), self._job.timeout)
            began = time.monotonic()
            ending = run.Conversation(run.Active(self._started), self._job, talk, self).hold()
            seconds = time.monotonic() - began
        finally:
            pool.close()
        return self._told(ending, seconds)

    def _told(self, ending: Ending, seconds: float) -> dict[str, Any]:
        trace = next((data["traceback"] for _, data in ending.events if data.get("traceback")), None)
        done = ending.status == "done"
        return {
            "job": self._job.name,
            "key": self._started.key,
            "status": "done" if done else "failed",
            "seconds": round(seconds, 3),
            "result": json.loads(ending.result) if ending.result is not None else None,
            "error": None if done else self._redactor.text(str(ending.error)),
            "traceback": None if trace is None else self._redactor.text(trace),
            "log": self._log,
            "steps": self._steps,
            "progress": self._progress,
            "streams": self._streams,
        }

    def take(self, started: Started, frame: Passing) -> None:
        """See `run.Effects`."""
        from guardrails.runtime.pool.frames import Learn, Line, Output, Progress

        if isinstance(frame, Learn):
            self._redactor.learn(frame.value)
        elif isinstance(frame, Line):
            self._line(frame.level, frame.message, frame.fields, frame.at)
        elif isinstance(frame, Output):
            for text in frame.data.decode("utf-8", "replace").splitlines():
                self._line(frame.stream, text, {}, time.time())
        elif isinstance(frame, Progress):
            self._progress.append({"done": frame.done, "total": frame.total, "note": frame.note})
            total = f" of {frame.total:g}" if frame.total is not None else ""
            self._say("progress", f"{frame.done:g}{total} {frame.note}".rstrip())
        else:
            self._streams[frame.stream] = self._streams.get(frame.stream, 0) + len(frame.data)
            if frame.last:
                self._say("stream", f"{frame.stream} {frame.content_type}, {self._streams[frame.stream]:,} bytes")

    def step(self, name: str, run: Callable[[], str | None]) -> str | None:
        """See `run.Effects`."""
        result = run()
        if result is not None:
            self._steps[name] = json.loads(result)
            self._say("step", f"{name} gave {self._redactor.text(result)}")
        return result

    def _line(self, level: str, message: str, fields: dict[str, str], at: float) -> None:
        text = self._redactor.text(message)
        self._log.append({"run": 1, "level": level, "message": text, "fields": self._redactor.fields(fields), "at": at})
        self._say(level, text)

    def _say(self, what: str, text: str) -> None:
        if self._ink is not None:
            lines = (f"{self._ink(f'{what:9}', 'quiet')} {visible_code(line)}" for line in text.splitlines() or [""])
            output.emit("\n".join(lines) + "\n", self._ink.color)


def _sum_up(data: dict[str, Any], ink: Ink) -> None:
    took = job_text.span(data["seconds"])
    if data["status"] == "done":
        output.emit(f"{ink('done', 'good')} in {took}: {job_text.compact(data['result'])}\n", ink.color)
        return
    trace = "".join(f"{visible_code(line)}\n" for line in (data["traceback"] or "").splitlines())
    output.emit(f"{trace}{ink('failed', 'error')} after {took}: {visible(data['error'])}\n", ink.color)
