"""Isolation by docker: a container without network and privileges, whose only writable places are the scratch folder and /dev/shm.

Whoever may talk to docker's engine can read a container's environment, secrets included, as long as it exists.
"""

import json
import math
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import PurePosixPath

from guardrails.runtime.errors import SandboxRefused
from guardrails.runtime.sandbox.commands import Command
from guardrails.runtime.sandbox.drivers import environment
from guardrails.runtime.sandbox.plan import SLACK, TEMPORARY, WORK, Plan

_CLIENT = frozenset({"PATH", "HOME", "XDG_RUNTIME_DIR"})  # of our environment, with DOCKER_*
_LONGEST = 10.0  # seconds in which a living engine tells its version


def plan(command: Command, values: dict[str, str], deadline: float) -> Plan:
    """Create, start and remove a container. Secrets go through the client's environment, never its arguments."""
    program = shutil.which("docker")
    if program is None:
        raise SandboxRefused("docker is not installed: install it and start its engine, or choose another driver.")
    ours = {name: value for name, value in os.environ.items() if name in _CLIENT or name.startswith("DOCKER_")}
    _need_engine(program, ours, min(_LONGEST, deadline - time.monotonic()))
    scratch = environment.scratch("docker")
    name = f"guardrails-{PurePosixPath(scratch).name}"
    scratch = str(PurePosixPath(scratch).with_name(name))
    user = environment.NOBODY if os.geteuid() == 0 else os.geteuid()
    return Plan(
        driver="docker",
        argv=[program, "start", "--attach", *(["--interactive"] if command.stdin is not None else []), name],
        environment=ours,
        deadline=deadline,
        cpu=command.cpu,
        memory=command.memory,
        processes=command.processes,
        disk=command.disk,
        files=[(path, len(content)) for path, content in command.files.items()],
        scratch=scratch,
        owner=user if os.geteuid() == 0 else -1,
        helping=ours | values,
        prepare=[program, "create", "--name", name, *_arguments(command, values, scratch, user)],
        stop=[program, "kill", name],
        remove=[program, "rm", "--force", "--volumes", name],
        inspect=[program, "inspect", "--type=container", name],
    )


def _arguments(command: Command, values: dict[str, str], scratch: str, user: int) -> Iterator[str]:
    yield from ("--pull=never", "--log-driver=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--cpus=1")
    yield from (
        f"--user={user}:{user}",
        "--workdir=/work",
        "--hostname=sandbox",
        "--ulimit=core=0",
        f"--pids-limit={command.processes + 1}",
    )
    yield f"--network={'bridge' if command.network else 'none'}"
    yield f"--ulimit=fsize={command.disk + SLACK}"
    if command.memory is not None:
        yield from (f"--memory={command.memory}", f"--memory-swap={command.memory}")
    if command.cpu is not None:
        yield f"--ulimit=cpu={math.ceil(command.cpu) + 1}"
    for inner, outer in (("/work", WORK), ("/tmp", TEMPORARY)):
        yield f"--mount=type=bind,source={scratch}/{outer},target={inner}"
    for path in command.readable:
        yield f"--mount=type=bind,source={path},target={path},readonly"
    for name, value in environment.variables({}, home="/work", temporary="/tmp").items():
        yield f"--env={name}={value}"
    yield from (f"--env={name}" for name in values)
    if command.stdin is not None:
        yield "--interactive"
    yield from (f"--entrypoint={command.words[0]}", str(command.image), *command.words[1:])


def _need_engine(program: str, ours: dict[str, str], seconds: float) -> None:
    """Refuse where no engine answers."""
    asked = [program, "version", "--format={{.Server.Version}}"]
    try:
        done = subprocess.run(
            asked, env=ours, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=max(0.1, seconds), check=False
        )
    except subprocess.TimeoutExpired:
        raise SandboxRefused("docker's engine does not answer; start it again, or choose another driver.") from None
    if done.returncode:
        raise SandboxRefused(
            f"docker's engine cannot be reached ({' '.join(done.stderr.split())[-300:]}); start it, or choose another driver."
        )


def state(told: str) -> tuple[str, bool]:
    """From `docker inspect`: what kept the container from starting, and whether it died of its memory limit."""
    try:
        state = json.loads(told)[0]["State"]
        return str(state["Error"]), bool(state["OOMKilled"])
    except (ValueError, LookupError, TypeError):
        return "", False


def refusal(command: Command, said: str) -> str:
    """What docker complained of, with what to do."""
    if "No such image" in said:
        return f"docker has no image {command.image!r} here, and none is fetched while a command runs: docker pull {command.image} first."
    if "executable file not found" in said or "exec:" in said:
        return f"The command {command.words[0]!r} is not in the image {command.image!r} ({said}); name a program that is."
    return f"docker could not start the command ({said or 'no reason given'}); run it by hand to see why."
