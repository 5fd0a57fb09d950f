"""An application of jobs that misbehave in every way that a pool has to survive."""

# ruff: noqa: T201 -- jobs print

import asyncio
import ctypes
import io
import itertools
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import context
from guardrails.runtime.pool.frames import Learn

LONG = 60  # seconds


class Given(BaseModel):
    number: int = 0
    text: str = ""


job = runtime.job(timeout=LONG, key=lambda given: str(given.number))


@job
def echo(given: Given) -> str:
    return f"{given.number}{given.text}"


@job
async def gentle(given: Given) -> int:
    await asyncio.sleep(0)
    return os.getpid()


@job
def raises(given: Given) -> None:
    raise ValueError("no such order")


@job
def sleeps(given: Given) -> None:
    print("ready")
    time.sleep(given.number or LONG)


@job
def ignores_signals(given: Given) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP})
    print("ready")
    time.sleep(LONG)


@job
def computes(given: Given) -> None:
    """In C, with the interpreter's lock held: no byte code is run, and no signal handled, before this has ended."""
    print("ready")
    sum(itertools.repeat(0))


@job
def matches(given: Given) -> None:
    print("ready")
    re.match(r"(a+)+$", "a" * 60 + "b")


@job
def holds_the_lock(given: Given) -> None:
    """Asleep in C with the interpreter's lock held, so that no other thread runs either."""
    print("ready")
    ctypes.PyDLL(None).sleep(LONG)


@job
def stops(given: Given) -> None:
    print("ready")
    os.kill(os.getpid(), signal.SIGSTOP)


@job
def closes_everything(given: Given) -> None:
    print("ready")
    os.closerange(0, 256)
    time.sleep(LONG)


@job
def detaches(given: Given) -> None:
    """A daemon by the book: two forks, a session of its own, a group of its own, no descriptor kept."""
    _daemon(lambda: time.sleep(LONG))
    print("ready")
    time.sleep(LONG)


@job
def leaves_a_daemon(given: Given) -> None:
    _daemon(lambda: time.sleep(LONG))


def _daemon(work: Callable[[], None]) -> None:
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setpgid(0, 0)
            os.write(write, b"up")
            os.closerange(0, 256)
            work()
        os._exit(0)
    os.wait()
    os.read(read, 2)


@job
def multiplies(given: Given) -> None:
    """Sixty processes, each of which forks while there are tokens."""
    read, write = os.pipe()
    os.write(write, b"." * 60)
    os.set_blocking(read, False)
    print("ready")
    try:
        while os.read(read, 1):
            os.fork()
    except BlockingIOError:
        time.sleep(LONG)


@job
def runs_away(given: Given) -> None:
    """A process that is always another one: each forks the next and ends."""
    if os.fork() == 0:
        os.setsid()
        end = time.monotonic() + LONG
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
    print("ready")
    time.sleep(LONG)


@job
def exits(given: Given) -> None:
    os._exit(given.number)


@job
def crashes(given: Given) -> None:
    ctypes.string_at(0)


@job
def kills_its_guardian(given: Given) -> None:
    _daemon(lambda: time.sleep(LONG))
    print(subprocess.Popen(["sleep", str(LONG)], env={}).pid)  # without the mark, but in the session
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(LONG)


@job
def stops_its_guardian(given: Given) -> None:
    _daemon(lambda: time.sleep(LONG))
    os.kill(os.getppid(), signal.SIGSTOP)
    print("ready")
    time.sleep(LONG)


@job
def floods(given: Given) -> None:
    """Prints so many bytes, or without end."""
    line = b"x" * 1023 + b"\n"
    written = 0
    while not given.number or written < given.number:
        written += os.write(1, line)


@job
def learns(given: Given) -> None:
    """As a resolved secret does: the worker is told of it, then it is printed."""
    body = context._present("this test")
    if not given.number:
        body.link.receive()
        body.link.send(Learn("secret"))
        print("secret")
    for number in range(given.number):
        body.link.send(Learn(f"secret {number}"))
        print(f"secret {number}")


@job
def prints(given: Given) -> str:
    print("before")
    runtime.progress(1, 2)
    print("between", file=sys.stderr)
    runtime.progress(2, 2)
    print("no end of line", end="")
    return "printed"


@job
def closes_stdout(given: Given) -> str:
    os.close(1)
    return "closed"


@job
def replaces_stdout(given: Given) -> str:
    sys.stdout = io.StringIO()
    return "replaced"


@job
def leaves_a_thread(given: Given) -> None:
    threading.Thread(target=time.sleep, args=(LONG,), name="forgotten", daemon=True).start()


@job
def ends_its_thread_late(given: Given) -> None:
    threading.Thread(target=time.sleep, args=(0.01,)).start()


@job
def leaves_a_process(given: Given) -> None:
    subprocess.Popen(["sleep", str(LONG)])


@job
def changes_folder(given: Given) -> None:
    os.chdir("/")


@job
def changes_environment(given: Given) -> None:
    os.environ["LEFT_BEHIND"] = "1"


@job
def forks_and_returns(given: Given) -> int:
    os.fork()
    return 1


@job
def spreads(given: Given) -> list[int]:
    """Processes of `multiprocessing` that are forked, and ended by a signal that their parent does not take."""
    forking = multiprocessing.get_context("fork")
    busy = forking.Process(target=sum, args=(itertools.repeat(0),))
    busy.start()
    with forking.Pool(2) as pool:
        results = pool.map(abs, [-1, -2])
    busy.terminate()
    busy.join()
    return [*results, busy.exitcode or 0]


@job
def steps(given: Given) -> list[str]:
    return [charge(given.text), charge(given.text)]


@runtime.step
def charge(text: str) -> str:
    return text + "!"
