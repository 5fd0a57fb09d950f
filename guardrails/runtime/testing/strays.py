"""Work that a handler leaves behind, in none of the ways that the runtime offers: found when the handler has answered."""

import asyncio
import asyncio.runners
import multiprocessing
import re
import shlex
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

_SETTLE = 1.0  # seconds for a pool's thread to put its finished work down
_PLUMBING = re.compile(r"/(threading|queue|selectors)\.py$|/(concurrent/futures|asyncio|anyio/_backends)/\w+\.py$")
_POOLS = re.compile(r"/concurrent/futures/thread\.py$|/anyio/_backends/\w+\.py$")


@contextmanager
def no_stray_spawns() -> Iterator[None]:
    """Fail if the block leaves work behind: a thread, an asyncio task, a child process. For HTTP handlers and other entrances.

    ```python
    with testing.no_stray_spawns():
        client.post("/orders", json={"id": "7"})
    ```
    Such work has no time limit, no retry, and dies with the process unseen: queue a job. Tasks count that still run at the block's end,
    and those that an event loop which ended within it (such as a test client's) had to cancel. Idle threads of pools are no work. On
    Linux all child processes are seen, elsewhere those of `multiprocessing`. Raises AssertionError.
    """
    threads, children, tasks = set(_at_work()), _children(), _tasks()
    with _cancelled_at_the_end() as cut_off:
        yield
    left = [f"thread {thread.name} ({_where(thread)})" for thread in _at_work() if thread not in threads]
    left += [f"asyncio task {task.get_name()} ({_coroutine(task)})" for task in _tasks() - tasks if not task.done()]
    left += [f"asyncio task {told}, cut off when its event loop ended" for told in cut_off]
    left += [f"child process {pid} ({_command(pid)})" for pid in sorted(_children() - children)]
    if left:
        raise AssertionError(f"This left work behind that nobody limits, retries or waits for: {'; '.join(left)}. Queue a job instead.")


def _tasks() -> set["asyncio.Task[Any]"]:
    """The tasks of the running event loop but the present one."""
    try:
        return asyncio.all_tasks() - {asyncio.current_task()}
    except RuntimeError:
        return set()


@contextmanager
def _cancelled_at_the_end() -> Iterator[list[str]]:
    """Collect the tasks that event loops cancel because they end. Private in asyncio; tests/runtime/test_testing_strays.py holds it."""
    runners: Any = asyncio.runners
    cancel: Callable[[asyncio.AbstractEventLoop], None] = runners._cancel_all_tasks
    found: list[str] = []

    def noted(loop: asyncio.AbstractEventLoop) -> None:
        found.extend(f"{task.get_name()} ({_coroutine(task)})" for task in asyncio.all_tasks(loop))
        cancel(loop)

    runners._cancel_all_tasks = noted
    try:
        yield found
    finally:
        runners._cancel_all_tasks = cancel


def _at_work() -> list[threading.Thread]:
    """The threads that do something: all but this one and those of pools that wait for work."""
    until = time.monotonic() + _SETTLE
    while True:
        states = {thread: _state(thread) for thread in threading.enumerate() if thread is not threading.current_thread()}
        if "settles" not in states.values() or time.monotonic() > until:
            return [thread for thread, state in states.items() if state != "rests" and thread.is_alive()]
        time.sleep(0.005)


def _state(thread: threading.Thread) -> str:
    """Whether a thread works, rests in its pool, or is between the two: in a pool's code, but not where that waits."""
    frames = list(_frames(thread))
    files = [frame.f_code.co_filename.replace("\\", "/") for frame in frames]
    if not any(map(_POOLS.search, files)) or not all(map(_PLUMBING.search, files)):
        return "works"
    waits = next((frame.f_code.co_name for frame, file in zip(frames, files, strict=True) if not file.endswith("/threading.py")), "")
    return "rests" if waits in ("_worker", "get") else "settles"


def _frames(thread: threading.Thread) -> Iterator[FrameType]:
    """A thread's frames, the innermost first."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _where(thread: threading.Thread) -> str:
    """The function of the application's that a thread runs, as far as it can be told."""
    told = [frame.f_code.co_qualname for frame in _frames(thread) if not _PLUMBING.search(frame.f_code.co_filename.replace("\\", "/"))]
    return told[-1] if told else "in the standard library"


def _coroutine(task: "asyncio.Task[Any]") -> str:
    return getattr(task.get_coro(), "__qualname__", "?")


def _children() -> set[int]:
    found = {process.pid for process in multiprocessing.active_children() if process.pid is not None}
    for listed in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # a thread that has ended meanwhile
            found.update(map(int, listed.read_text().split()))
    return found


def _command(pid: int) -> str:
    """What a process was started with, as one would type it; its program by name, for a long path would push the words that tell it."""
    try:
        program, *words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").rstrip("\0").split("\0")
    except OSError:
        return "unknown"
    return shlex.join([Path(program).name, *words])[:80] if program else "ended, not waited for"
