"""Limits without isolation: the command runs as the caller's user, and sees the caller's files and networks."""

import os

from guardrails.runtime.sandbox.commands import Command
from guardrails.runtime.sandbox.drivers import environment
from guardrails.runtime.sandbox.plan import TEMPORARY, WORK, Plan


def plan(command: Command, values: dict[str, str], deadline: float) -> Plan:
    """The command itself, with the caller's PATH."""
    scratch = environment.scratch("process")
    path = os.environ.get("PATH", environment.PATH)
    return Plan(
        driver="process",
        argv=list(command.words),
        environment=environment.variables(values, home=f"{scratch}/{WORK}", temporary=f"{scratch}/{TEMPORARY}", path=path),
        deadline=deadline,
        cpu=command.cpu,
        memory=command.memory,
        processes=command.processes,
        disk=command.disk,
        files=[(name, len(content)) for name, content in command.files.items()],
        scratch=scratch,
    )
