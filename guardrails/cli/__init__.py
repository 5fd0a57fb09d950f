"""The command line: a module a command, each loaded when it is asked for."""

from __future__ import annotations


def main() -> None:
    """Runs the command line and exits."""
    from guardrails import __main__

    __main__.main()
