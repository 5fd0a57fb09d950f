"""`guardrails jobs schema`: what the application's jobs take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from guardrails.cli import output, runtimes, shown
from guardrails.cli.job_look import Form
from guardrails.report.ink import Ink
from guardrails.report.safe import visible

if TYPE_CHECKING:
    from guardrails.runtime.declare import Job


@click.command("schema", short_help="The payloads that jobs take, as JSON schemas.", epilog=runtimes.example("schema charge --app app"))
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="json", show_default=True, help="How to show it.")
@runtimes.asked
def schema(name: str | None, form: Form, app: str | None, database: str | None) -> int:
    """Print the JSON schema of a job's payload, or of all by name, with its version and the older ones that are still read."""
    with runtimes.faults():
        registry = runtimes.declared(app, database)
        jobs = [registry.job(name)] if name else [registry.jobs[each] for each in sorted(registry.jobs)]
        schemas = {job.name: job.shape.schema() for job in jobs}
        if form == "json":
            output.emit(json.dumps(schemas[name] if name else schemas, indent=2) + "\n")
            return 0
        ink = Ink(shown.color())
        output.emit("\n".join(line for job in jobs for line in _lines(job, schemas[job.name], ink)) + "\n", ink.color)
    return 0


def _lines(job: Job[Any, Any], schema: dict[str, Any], ink: Ink) -> Iterator[str]:
    older = f", reads {', '.join(map(str, schema['upcasts']))}, too" if schema["upcasts"] else ""
    limits = f"{job.timeout:g} s, {job.retry.attempts} attempts, queue {visible(job.queue)}"
    yield f"{ink(visible(job.name), 'strong')} {ink(f'version {job.shape.version}{older}; {limits}', 'quiet')}"
    needed = schema.get("required", [])
    for field, about in schema.get("properties", {}).items():
        notes = [] if field in needed else ["optional"]
        notes += ["sensitive"] if field in job.shape.sensitive_names else []
        yield f"  {visible(field):20} {visible(_kind(about))}{' (' + ', '.join(notes) + ')' if notes else ''}"


def _kind(about: dict[str, Any]) -> str:
    if "$ref" in about:
        return str(about["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in about:
        return " or ".join(map(_kind, about["anyOf"]))
    kind = str(about.get("type", "any"))
    return f"{kind} ({about['format']})" if "format" in about else kind
