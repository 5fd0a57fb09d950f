"""The child process: `python -m guardrails.runtime.pool.child APP DATA PATH`, started by its guardian, runs one task after another.

APP is the application, DATA the descriptor of the socket to the worker, PATH the worker's `sys.path` as JSON.
"""

import functools
import io
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from guardrails.runtime.context import Link
from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.pool.application import load
from guardrails.runtime.pool.frames import Channel, Failed, Finished, Ready, Task
from guardrails.runtime.pool.traces import Traces

LONGEST_TRACEBACK = 32_000
Run = Callable[[Task, Link], Finished | Failed]


def main(arguments: list[str]) -> None:
    """Import the application, say so, and serve until the worker is gone."""
    app, descriptor, path = arguments
    sys.path[:] = json.loads(path)
    channel = _channel(int(descriptor))
    _prepare()
    try:
        load(app)
        from guardrails.runtime import body  # after the application, whose import may have more to say
    except RuntimeFault as fault:
        channel.send(Failed(type(fault).__name__, str(fault), fault.detail[-LONGEST_TRACEBACK:], "terminal"))
        return
    channel.send(Ready())
    serve(channel, functools.partial(body.run, alone=True))


def serve(channel: Channel, run: Run) -> None:
    """Run tasks until the other side is gone; after each say whether this process may serve again."""
    ours = os.getpid()
    traces = Traces()
    while (task := channel.receive()) is not None:
        if not isinstance(task, Task):
            continue  # an answer that came after its run was over
        outcome = run(task, channel)
        if os.getpid() != ours:
            os._exit(0)  # the body forked, and this is the copy that returned from it
        _flush()
        channel.send(outcome)
        channel.send(traces.judged())


def _channel(descriptor: int) -> Channel:
    """The way to the worker, which no process that a job starts inherits or speaks on."""
    os.set_inheritable(descriptor, False)
    channel = Channel(socket.socket(fileno=descriptor))
    os.register_at_fork(after_in_child=channel.close)
    return channel


def _prepare() -> None:
    """Lines come out as they are printed, and signals to a whole group of processes are the worker's to judge."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    ours = os.getpid()

    def stay(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != ours:  # a process that was forked a moment ago
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stay)  # not SIG_IGN, which programs that a job starts would inherit
    os.register_at_fork(after_in_child=_unprepare)


def _unprepare() -> None:
    """Processes that a job forks can be terminated: multiprocessing stops its own so."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, OSError, AttributeError):  # closed or replaced by the job
            stream.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
