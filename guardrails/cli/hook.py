"""`guardrails hook`: lints what a coding agent just edited."""

from __future__ import annotations

from typing import Any

import click

from guardrails.instruct import edited, hooks

EPILOG = """\b
Each client calls it after an edit, with its event as JSON on standard input:
  guardrails init --agent claude --hooks        declares it for Claude Code
  guardrails hook --client claude < event.json  what the hook would tell the agent

\b
Told are findings in the edited files that the last commit has not. Exit status: 0 always, so that
no client takes a fault of ours for feedback; 1 for a wrong option.
"""


class Kind(click.Command):
    """A command whose wrong options end with 1: agents read 2 as feedback on what they did."""

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any) -> click.Context:
        """The context, or an error that ends with 1."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise click.ClickException(error.format_message()) from None


@click.command("hook", cls=Kind, short_help="Lint what a coding agent just edited.", epilog=EPILOG)
@click.option("--client", required=True, type=click.Choice(hooks.CLIENTS), help="Whose event stands on standard input.")
def command(client: str) -> int:
    """Lint the files that a coding agent just edited, and tell it what is new there, in the form that its client hands on."""
    return edited.main(client)
