"""Whoever dies, nothing is left: no process, no folder, no container."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from guardrails.runtime.errors import SandboxRefused
from tests.runtime.sandbox.boxes import Box, alive, mark, read, scratch_folders, wait_for

CALLER = """
import sys, tempfile
from guardrails.runtime import sandbox
tempfile.tempdir = sys.argv[1]
driver = sys.argv[2]
options = {"network": True} if driver == "process" else {"image": sys.argv[4]} if driver == "docker" else {}
sandbox.run(["sh", "-c", f"setsid sleep {sys.argv[3]} & sleep {sys.argv[3]}"], wall=600, driver=driver, **options)
"""


def caller(box: Box, tmp_path: Path, sleeping: str, before: str = "") -> "subprocess.Popen[bytes]":
    """A process that runs a command, once that sleeps; `before` is run by it first."""
    words = [sys.executable, "-c", before + CALLER, str(tmp_path), box.driver, sleeping, str(box.options.get("image"))]
    started = subprocess.Popen(words, start_new_session=True)
    wait_for("the command sleeps twice", lambda: len(sleepers(sleeping)) == 2)
    return started


def sleepers(sleeping: str) -> list[int]:
    return [pid for pid in alive(sleeping) if read(Path(f"/proc/{pid}/comm")) == b"sleep\n"]


def supervisor_of(pid: int) -> int:
    """The one child of a caller that is one."""
    (found,) = [child for child in children(pid) if b"sandbox.supervisor" in read(Path(f"/proc/{child}/cmdline"))]
    return found


def children(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in read(task / "children").split()]


def test_all_is_gone_after_its_caller_was_killed(box: Box, tmp_path: Path) -> None:
    sleeping = mark()
    started = caller(box, tmp_path, sleeping)
    started.kill()
    started.wait()
    wait_for("no process is left", lambda: alive(sleeping) == [])
    wait_for("no folder is left", lambda: scratch_folders() == set())


def test_all_is_gone_though_a_fork_of_its_caller_lives_and_holds_the_socket(local_box: Box, tmp_path: Path) -> None:
    sleeping = mark()
    forks = "import os, time, threading\nthreading.Timer(1, lambda: os.fork() or time.sleep(1000)).start()\n"
    started = caller(local_box, tmp_path, sleeping, before=forks)
    wait_for("it forks", lambda: forked(started.pid) != [])
    (fork,) = forked(started.pid)
    try:
        started.kill()
        started.wait()
        wait_for("no process is left", lambda: alive(sleeping) in ([], [fork]))
        wait_for("no folder is left", lambda: scratch_folders() == set())
    finally:
        os.kill(fork, signal.SIGKILL)


def forked(pid: int) -> list[int]:
    """Children that are copies of a caller: they have its command line."""
    words = read(Path(f"/proc/{pid}/cmdline"))
    return [child for child in children(pid) if read(Path(f"/proc/{child}/cmdline")) == words]


def test_all_of_bubblewrap_is_gone_after_its_supervisor_was_killed(bubblewrap: Box, tmp_path: Path) -> None:
    sleeping = mark()
    started = caller(bubblewrap, tmp_path, sleeping)
    os.kill(supervisor_of(started.pid), signal.SIGKILL)
    wait_for("no process is left", lambda: sleepers(sleeping) == [])
    assert started.wait() == 1, "it is told as an error"


def test_the_command_is_gone_after_its_supervisor_was_killed_and_its_folder_with_the_next(process: Box, tmp_path: Path) -> None:
    sleeping = mark()
    with subprocess.Popen(
        [sys.executable, "-c", CALLER.replace("setsid sleep {sys.argv[3]} & sleep", "exec sleep"), str(tmp_path), "process", sleeping]
    ) as started:
        wait_for("the command sleeps", lambda: len(sleepers(sleeping)) == 1)
        os.kill(supervisor_of(started.pid), signal.SIGKILL)
        wait_for("no process is left", lambda: sleepers(sleeping) == [])
    assert len(scratch_folders()) == 1
    assert process.run(["true"]).ok
    assert scratch_folders() == set()


def test_a_folder_in_use_is_not_swept(process: Box, tmp_path: Path) -> None:
    sleeping = mark()
    started = caller(process, tmp_path, sleeping)
    held = scratch_folders()
    assert process.run(["true"]).ok
    assert scratch_folders() == held
    started.kill()
    started.wait()
    wait_for("no folder is left", lambda: scratch_folders() == set())


def test_a_container_that_a_killed_supervisor_left_is_swept_by_the_next(docker: Box, tmp_path: Path) -> None:
    sleeping = mark()
    started = caller(docker, tmp_path, sleeping)
    os.kill(supervisor_of(started.pid), signal.SIGKILL)
    started.wait()
    assert sleepers(sleeping) != []
    assert docker.run(["true"]).ok
    assert sleepers(sleeping) == []
    assert scratch_folders() == set()


def test_a_listener_hears_while_the_command_runs(box: Box, tmp_path: Path) -> None:
    heard: list[float] = []
    outcome = box.sh("echo first; sleep 3; echo second", on_output=lambda _stream, _data: heard.append(time.monotonic()))
    assert outcome.stdout == b"first\nsecond\n"
    assert heard[-1] - heard[0] > 0.1


def test_what_a_listener_raises_ends_the_command(box: Box) -> None:
    sleeping = mark()

    def stop(_stream: str, _data: bytes) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        box.sh(f"sleep {sleeping} & echo begun; sleep {sleeping}", on_output=stop)
    assert alive(sleeping) == []
    assert scratch_folders() == set()


def test_the_limit_holds_while_a_listener_is_stuck(local_box: Box) -> None:
    sleeping = mark()
    outcome = local_box.sh(
        f"echo begun; sleep {sleeping}",
        wall=2,
        on_output=lambda _stream, _data: wait_for("no process is left", lambda: alive(sleeping) == []),
    )
    assert (outcome.stopped_by, outcome.stdout) == ("wall", b"begun\n")


def test_the_supervisor_needs_only_the_standard_library() -> None:
    """Were it to import what site-packages holds, it would be slow everywhere, and fail where these are elsewhere."""
    program = "import sys; sys.path.append(sys.argv[1]); import guardrails.runtime.sandbox.supervisor.main; print(*sorted(sys.modules))"
    root = str(Path(__file__).parents[3])
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program, root], capture_output=True, text=True, check=True, env={})
    packages = {name.partition(".")[0] for name in done.stdout.split()}
    assert packages - sys.stdlib_module_names - {"__main__"} == {"guardrails"}


def test_awaited_commands_run_side_by_side(local_box: Box) -> None:
    async def several() -> list[bytes]:
        commands = [local_box.command(["sh", "-c", f"sleep 0.2; echo {number}"]) for number in range(4)]
        return [outcome.stdout for outcome in await asyncio.gather(*(command.run_async() for command in commands))]

    assert asyncio.run(several()) == [b"0\n", b"1\n", b"2\n", b"3\n"]


def test_a_cancelled_wait_ends_the_command_first(local_box: Box) -> None:
    sleeping = mark()

    async def cancelled() -> list[int]:
        begun = asyncio.Event()
        loop = asyncio.get_running_loop()
        command = local_box.command(["sh", "-c", f"setsid sleep {sleeping} & echo begun; sleep {sleeping}"], wall=36_000)
        task = asyncio.create_task(command.run_async(lambda _stream, _data: loop.call_soon_threadsafe(begun.set) and None))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return alive(sleeping)

    assert asyncio.run(cancelled()) == []


def test_a_command_that_was_cancelled_before_it_began_never_runs(process: Box, tmp_path: Path) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(process.command(["touch", str(tmp_path / "ran")]).run_async())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert scratch_folders() == set()


def test_a_supervisor_that_is_killed_is_told(process: Box) -> None:
    def kill(_stream: str, _data: bytes) -> None:
        os.kill(supervisor_of(os.getpid()), signal.SIGKILL)

    with pytest.raises(SandboxRefused, match="supervisor was killed"):
        process.sh("echo begun; sleep 600", on_output=kill)


def test_a_terminal_s_interrupt_does_not_reach_the_supervisor(process: Box) -> None:
    def interrupt(_stream: str, _data: bytes) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(supervisor_of(os.getpid()), number)

    outcome = process.sh("echo begun; sleep 0.3; echo end", on_output=interrupt)
    assert (outcome.ok, outcome.stdout) == (True, b"begun\nend\n")


def test_no_descriptor_and_no_thread_is_left_behind(local_box: Box) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    local_box.run(["true"])
    before = descriptors()
    for _ in range(3):
        local_box.run(["cat"], stdin=b"x", collect=["*"])
        asyncio.run(local_box.command(["true"]).run_async())
    assert descriptors() == before
    assert not [folder for folder in Path("/proc/self/task").iterdir() if "sandbox" in (folder / "comm").read_text()]
