"""Runs commands: resolves their secrets, lets a supervisor run them, and reports."""

import asyncio
import contextvars
import socket
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Unpack, cast

from guardrails.runtime.errors import SandboxRefused
from guardrails.runtime.logs.redact import SHORTEST, Redactor
from guardrails.runtime.sandbox import drivers, leftovers
from guardrails.runtime.sandbox.capture import Capture
from guardrails.runtime.sandbox.commands import Command, OnOutput, Options
from guardrails.runtime.sandbox.drivers import docker
from guardrails.runtime.sandbox.names import is_text
from guardrails.runtime.sandbox.outcome import Outcome, StoppedBy
from guardrails.runtime.sandbox.plan import Ended
from guardrails.runtime.sandbox.session import Session
from guardrails.runtime.secret import reveal


def run(words: Sequence[str], *, wall: float, on_output: OnOutput | None = None, **options: Unpack[Options]) -> Outcome:
    """Run a command within limits, and wait for its end; `Command` tells what the options mean.

    `on_output` is called with "stdout" or "stderr" and bytes while the command runs, secrets replaced; what it raises ends the command.
    Within a job the job's own limit may come before `wall`. Raises SandboxRefused where the command cannot be given what it asks for.
    """
    return Command(words=words, wall=wall, **options).run(on_output)  # type: ignore[arg-type]


async def run_async(words: Sequence[str], *, wall: float, on_output: OnOutput | None = None, **options: Unpack[Options]) -> Outcome:
    """The same without blocking the event loop; a cancelled wait ends the command. `on_output` is called from another thread."""
    return await Command(words=words, wall=wall, **options).run_async(on_output)  # type: ignore[arg-type]


def run_command(command: Command, on_output: OnOutput | None = None, cancel: socket.socket | None = None) -> Outcome:
    """Run a described command; one byte on `cancel` ends it."""
    begin = time.monotonic()
    values = _values(command)
    plan = drivers.plan(command, values, begin + _seconds(command))
    redactor = Redactor(values.values()) if values else None
    capture = Capture(command.output, redactor, on_output)
    with Session(plan, command.files.values(), command.stdin, capture, cancel) as session:
        ended = session.wait()
        capture.close(cut=ended.stopped_by is not None)
        files, cut = ((), False) if session.work is None else leftovers.collect(session.work, command.collect, redactor)
    if ended.refused:
        raise SandboxRefused(ended.refused)
    refused, memory = docker.state(ended.told)
    if refused or not ended.begun:
        raise SandboxRefused(drivers.refusal(command, refused or ended.told or capture.kept("stderr").decode("utf-8", "replace")))
    if ended.stopped_by == "cancel":
        raise SandboxRefused("The command was ended, since nobody waits for it any more.")
    return Outcome(
        exit_code=None if memory else ended.exit_code,
        signal=ended.signal,
        stopped_by=_stopped_by(ended, capture, memory=memory),
        stdout=capture.kept("stdout"),
        stderr=capture.kept("stderr"),
        truncated=capture.truncated,
        cpu_seconds=ended.cpu,
        wall_seconds=time.monotonic() - begin,
        files=files,
        files_cut=cut,
    )


async def run_command_async(command: Command, on_output: OnOutput | None = None) -> Outcome:
    """Run a described command in a thread of its own. When the wait is cancelled the command is ended first."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pool = ThreadPoolExecutor(1, "sandbox")
        context = contextvars.copy_context()
        running = asyncio.get_running_loop().run_in_executor(pool, context.run, run_command, command, on_output, theirs)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            ours.send(b"x")
            await _over(running)
            raise
        finally:
            pool.shutdown()


async def _over(running: "asyncio.Future[Outcome]") -> None:
    """Until the thread is done, whatever else is cancelled meanwhile: its command must not outlive us."""
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            continue
    running.exception()


def _values(command: Command) -> dict[str, str]:
    """The secrets, by variable. Raises SecretMissing, and SandboxRefused for one that cannot be given, or not be kept out of the output."""
    values = {name: reveal(reference) for name, reference in command.secrets.items()}
    for name, value in values.items():
        if not is_text(value):
            raise SandboxRefused(f"The secret for {name!r} holds what no environment can, such as NUL; encode it, for example as base64.")
        if len(value) < SHORTEST:
            raise SandboxRefused(f"The secret for {name!r} has less than {SHORTEST} characters, too few to be found in an output.")
    return values


def _seconds(command: Command) -> float:
    """The command's time, or what is left of the job's that runs it."""
    context = sys.modules.get("guardrails.runtime.context")  # where nobody loaded it no job is running
    left = None if context is None else context.remaining()
    if left is not None and left <= 0:
        raise SandboxRefused("The job's own time is up, so no command is started; give the job a longer timeout.")
    return command.wall if left is None else min(command.wall, left)


def _stopped_by(ended: Ended, capture: Capture, *, memory: bool) -> StoppedBy | None:
    """The limit that was crossed: a flood may have ended by itself before the supervisor heard of it."""
    if memory:
        return "memory"
    return "output" if capture.truncated and ended.stopped_by is None else cast("StoppedBy | None", ended.stopped_by)
