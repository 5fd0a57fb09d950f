"""`guardrails serve`: the HTTP service of an application, and its page."""

from __future__ import annotations

import click

from guardrails.cli import runtimes
from guardrails.cli.program import Mistake, say
from guardrails.report.tally import count

EPILOG = """\b
Examples:
  guardrails serve app                         http://127.0.0.1:8000, for this machine alone
  guardrails serve shop.jobs --port 9000
  guardrails serve app --database postgresql://localhost/shop
  GUARDRAILS_API_KEY=.. guardrails serve app --host 0.0.0.0

\b
It only queues and shows: `guardrails worker` runs the jobs. Programs send a key of GUARDRAILS_API_KEY (several, parted by commas,
while one is rotated) as `Authorization: Bearer ..`; people open the link that it prints, which works once within ten minutes.
SIGTERM or Ctrl-C: requests under way are answered, those who follow a job are let go and come back with Last-Event-ID.
"""


@click.command("serve", short_help="Serve an application's jobs over HTTP, with a page (the reference runtime).", epilog=EPILOG)
@click.argument("app", metavar="APP")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where to listen; others need GUARDRAILS_API_KEY.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the service's own log is written, on stderr.",
)
@runtimes.DATABASE
def command(app: str, host: str, port: int, log_format: str, database: str | None) -> None:
    """Serve the jobs that APP (a module such as shop.jobs, or a file) declares: queue, follow, cancel and requeue them, take webhooks."""
    with runtimes.faults():
        from guardrails.runtime.logs import format as logformat

        logformat.configure("json" if log_format == "json" else "text", "WARNING")
        runtimes.load(app, database)
        _serve(app, host, port)


def _serve(app: str, host: str, port: int) -> None:
    from guardrails.runtime import home, http
    from guardrails.runtime.declare import registry
    from guardrails.runtime.http import server, serving

    keys, made = serving.keys_for(host)
    if not registry.jobs:
        raise Mistake(f"{app} declares no job: put @runtime.job(timeout=.., key=..) on a function of it.")
    settings = serving.Serving(keys, host, port)
    service = http.service(settings)
    shown = home.home().database.shown
    with server.bound(settings) as taken:
        where = server.address(settings, taken.getsockname()[1])

        def ready() -> None:
            say(f"serving {count(len(registry.jobs), 'job')} of {shown} at {where}; Ctrl-C ends it.")
            if made:
                say(f"no {serving.VARIABLE} is set, so this run made a key: {keys[0]}")
            say(f"the page, to be opened within {settings.login_seconds / 60:g} minutes; this address signs in once:")
            click.echo(f"{where}/login?token={service.state.desk.sessions.link()}")

        server.server(service, ready).run([taken])
