"""The group of commands, and what becomes of errors: a sentence and an exit status, never a traceback."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, TextIO

import click

import guardrails

COMMANDS = ("check", "explain", "rules", "jobs-map", "baseline", "init", "hook", "review", "worker", "serve", "jobs")
MISTAKE, INTERRUPTED = 2, 130
UNWRITABLE = (errno.ENOSPC, errno.EBADF, errno.EIO)

EPILOG = """\b
Examples:
  guardrails check                              the project you are in
  guardrails check src worker.py                some of it
  guardrails check --select untimed-job --all   one rule, every finding in full
  guardrails check --diff origin/main           only what this branch makes worse
  guardrails check --fix --dry-run              what a machine can mend, as a diff
  guardrails check --format sarif -o out.sarif  for code scanning
  guardrails baseline write                     take today's findings as known
  guardrails explain untimed-job                what a rule is about
  guardrails jobs-map                           which jobs were recognised, and who starts them
  guardrails init                               instruction files for coding agents

\b
Exit status: 0 nothing at or above --fail-on, 1 findings, 2 usage or configuration error,
3 internal error, 130 interrupted.
"""


class Mistake(click.ClickException):
    """A user's mistake: one sentence with what and the remedy."""

    exit_code = MISTAKE


class Program(click.Group):
    """Loads a command when it is run, and turns every error into a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, from the module of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"guardrails.cli.{cmd_name.replace('-', '_')}").command
        return command

    def main(
        self, args: Sequence[str] | None = None, prog_name: str | None = None, *_: Any, standalone_mode: bool = True, **extra: Any
    ) -> Any:
        """Runs a command and exits with its status."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        sys.exit(self._status(args, prog_name, extra))

    def _status(self, args: Sequence[str] | None, prog_name: str | None, extra: dict[str, Any]) -> int:
        try:
            return super().main(args, prog_name, standalone_mode=False, **extra) or 0
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            return MISTAKE
        except click.ClickException as error:
            say(" ".join(f"{error.format_message()}{_where_to_look(error)}".split()))
            return error.exit_code
        except click.Abort:
            say("interrupted")
            return INTERRUPTED
        except OSError as error:
            if error.errno not in UNWRITABLE or error.filename is not None:
                return _told(error)
            _silence(sys.stdout)
            say(f"this cannot be written: {(error.strerror or str(error)).lower()}")
            return MISTAKE
        except Exception as error:
            return _told(error)


def _where_to_look(error: click.ClickException) -> str:
    """What lists the commands or options, where one was named that does not exist and none is like it."""
    message = error.format_message()
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is None or not message.startswith("No such") or "Did you mean" in message:
        return ""
    return f" {ctx.command_path} --help lists what there is."


def _told(error: Exception) -> int:
    from guardrails.cli.errors import tell

    return tell(error)


def say(sentence: str) -> None:
    """One sentence on stderr, harmless for a terminal; nothing comes of it where nobody can hear it."""
    from guardrails.report.safe import visible

    try:
        click.echo(f"guardrails: {visible(sentence)}", err=True)
    except (OSError, ValueError):
        _silence(sys.stderr)


def _silence(stream: TextIO | None) -> None:
    """Lets a stream that cannot be written lead nowhere; else the interpreter fails when it flushes at its end."""
    with contextlib.suppress(OSError, ValueError):
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@click.group(cls=Program, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(guardrails.__version__, "-V", "--version", message="guardrails %(version)s")
def program() -> None:
    """Finds unsafe background-job code: jobs that may run for ever, enqueues without an idempotency
    key, work that nobody waits for, rows in payloads, secrets in logs.
    """
