"""How each driver is asked: from a command to the supervisor's plan, and from its complaint to a sentence."""

import sys

from guardrails.runtime.errors import SandboxRefused
from guardrails.runtime.sandbox.commands import Command
from guardrails.runtime.sandbox.drivers import bubblewrap, docker, process
from guardrails.runtime.sandbox.plan import Plan

_PLANS = {"bubblewrap": bubblewrap.plan, "docker": docker.plan, "process": process.plan}
_COMPLAINTS = {"bubblewrap": bubblewrap.refusal, "docker": docker.refusal}


def plan(command: Command, values: dict[str, str], deadline: float) -> Plan:
    """How to run a command with these values of its secrets until `deadline`, a moment of the monotonic clock. Raises SandboxRefused."""
    if sys.platform != "linux":
        raise SandboxRefused("Sandboxes need Linux: run the worker there, in a container or a virtual machine.")
    return _PLANS[command.driver](command, values, deadline)


def refusal(command: Command, said: str) -> str:
    """The sentence for what the driver's program said instead of starting the command."""
    return _COMPLAINTS[command.driver](command, " ".join(said.split())[-500:])
