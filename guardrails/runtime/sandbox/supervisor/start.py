"""How each driver starts a command: with its limits set, and its scratch folder filled, before its first instruction."""

import fcntl
import json
import math
import os
import resource
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from guardrails.runtime.sandbox.plan import GROUP, HOLD, PASSWD, SLACK, STATUS, WORK, Plan
from guardrails.runtime.sandbox.supervisor import folder, tree
from guardrails.runtime.sandbox.supervisor.scratch import Complained, Refused, Scratch, helped

_USER, _USERS = b"sandbox:x:1000:1000::/work:/bin/sh\n", b"sandbox:x:1000:\n"
_HELP = 20  # seconds for a word with docker's engine
Give = Callable[[int], bytes]  # up to so many bytes of the files that follow the plan


@dataclass(kw_only=True)
class Started:
    """A command that runs. `work` is a descriptor of its scratch folder, `over` tells whether that holds more than it may."""

    main: "subprocess.Popen[bytes]"  # kept: when it is forgotten, Python takes the status that we wait for
    work: int
    over: Callable[[], bool]
    pids: Callable[[], Iterator[int]] = lambda: tree.below(os.getpid())
    begun: Callable[[], bool] = lambda: True
    leaders: list[int] = field(default_factory=list)


def process(plan: Plan, children: tree.Children, give: Give, after: ExitStack) -> Started:
    """A process of the caller's own user, in a session of its own."""
    scratch = _scratch(plan, children, give, after)
    main = _spawn(plan, cwd=f"{plan.scratch}/{WORK}", unprivileged=True)
    return Started(main=main, work=scratch.work, over=_measured(scratch, plan.disk), leaders=[main.pid])


def docker(plan: Plan, children: tree.Children, give: Give, after: ExitStack) -> Started:
    """The client that starts a container and forwards its streams; the container's processes are the engine's children, not ours."""
    scratch = _scratch(plan, children, give, after)
    after.callback(helped, plan.remove, plan.helping, _HELP)
    done, told = helped(plan.prepare, plan.helping, max(0.1, plan.deadline - time.monotonic()))
    if not done:
        raise Complained(told)
    main = _spawn(plan, cwd="/")
    return Started(main=main, work=scratch.work, over=_measured(scratch, plan.disk), pids=Container(plan).pids)


class Container:
    """The processes of a container, where the engine runs on this machine and tells."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._first = 0
        self._tries = 20

    def pids(self) -> Iterator[int]:
        """Each process of it; none while it is not up."""
        if not self._first and self._tries:
            self._tries -= 1
            *inspect, name = self._plan.inspect
            told = helped([*inspect, "--format={{.State.Pid}}", name], self._plan.helping, _HELP)[1].strip()
            self._first = int(told) if told.isdigit() else 0
        if self._first:
            yield self._first
            yield from tree.below(self._first)


def bubblewrap(plan: Plan, children: tree.Children, give: Give, after: ExitStack) -> Started:
    """bwrap, whose file systems live in memory and vanish with its last process, however that dies.

    The last file that it makes is a pipe which we filled. When it reads from that, its folders are mounted, and it waits for us to close
    the pipe: so we can reach the scratch folder from outside, before the command begins and after it ended.
    """
    status, status_end = os.pipe()
    hold_end, hold = os.pipe()
    _fill(hold)
    given = {STATUS: status_end, HOLD: hold_end, PASSWD: _file(_USER), GROUP: _file(_USERS)}
    for number, descriptor in given.items():
        os.dup2(descriptor, number)
        os.close(descriptor)
    after.callback(children.kill)
    main = _spawn(plan, cwd="/", descriptors=tuple(given))
    for number in given:
        os.close(number)
    said = Status(status)
    try:
        _wait_for(hold, main.pid, plan, children)
        first = said.first()
        work = os.open(f"/proc/{first}/root/newroot/work", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        _count(first, plan.processes)
    except OSError as error:
        raise Complained from error
    _fill_in(plan, work, give)
    os.close(hold)

    def over() -> bool:
        use = os.fstatvfs(work)
        return (use.f_blocks - use.f_bfree) * use.f_frsize > plan.disk or use.f_files - use.f_ffree > folder.MOST

    return Started(main=main, work=work, over=over, begun=said.begun)


def _count(first: int, most: int) -> None:
    """Let the kernel count tasks in its namespace: bwrap's first process, and one more than allowed, by which we see the limit crossed."""
    resource.prlimit(first, resource.RLIMIT_NPROC, (most + 2, most + 2))


class Status:
    """What bwrap tells of itself, each a line of JSON: its first process, later the command's exit code, if there was such a command."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._said = b""

    def first(self) -> int:
        """The number of the first process inside; raises OSError when bwrap died before."""
        while b"\n" not in self._said:
            if not (more := os.read(self._descriptor, 4096)):
                raise OSError("bwrap ended")
            self._said += more
        return int(json.loads(self._said.partition(b"\n")[0])["child-pid"])

    def begun(self) -> bool:
        """After the end: whether the command itself was started."""
        os.set_blocking(self._descriptor, False)
        with suppress(BlockingIOError):
            while more := os.read(self._descriptor, 4096):
                self._said += more
        return b'"exit-code"' in self._said


def _wait_for(hold: int, main: int, plan: Plan, children: tree.Children) -> None:
    """Until bwrap reads from the pipe; raises OSError when it ended, our caller did, or time is up."""
    parent = os.getppid()
    waiting = select.poll()
    waiting.register(hold, select.POLLOUT)
    waiting.register(children.wake, select.POLLIN)
    while not any(number == hold for number, _ in waiting.poll(50)):
        children.reap()
        if main in children.ended or os.getppid() != parent or time.monotonic() > plan.deadline:
            raise OSError("bwrap did not begin")


def _fill(pipe: int) -> None:
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, os.sysconf("SC_PAGE_SIZE"))
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        while os.write(pipe, bytes(4096)):
            pass


def _file(content: bytes) -> int:
    file = os.memfd_create("sandbox")
    os.write(file, content)
    os.lseek(file, 0, os.SEEK_SET)
    return file


def _scratch(plan: Plan, children: tree.Children, give: Give, after: ExitStack) -> Scratch:
    def abandoned(name: str) -> None:
        if plan.remove:
            helped([*plan.remove[:-1], name], plan.helping, _HELP)

    scratch = Scratch(plan.scratch, plan.owner, abandoned)
    after.callback(scratch.remove)
    after.callback(children.kill)
    _fill_in(plan, scratch.work, give)
    return scratch


def _fill_in(plan: Plan, work: int, give: Give) -> None:
    try:
        for name, size in plan.files:
            folder.place(work, name, size, give, plan.owner)
    except OSError as error:
        raise Refused(f"The given files cannot be put into the scratch folder ({error.strerror}); give fewer, or raise disk.") from error


def _measured(scratch: Scratch, most: int) -> Callable[[], bool]:
    return lambda: folder.over(scratch.top, most)


def _spawn(plan: Plan, *, cwd: str, unprivileged: bool = False, descriptors: tuple[int, ...] = ()) -> "subprocess.Popen[bytes]":
    parent = os.getpid()

    def before() -> None:
        tree.die_with(parent)
        if unprivileged:
            tree.refuse_privileges()
        _limit(plan)

    try:
        return subprocess.Popen(plan.argv, env=plan.environment, cwd=cwd, start_new_session=True, preexec_fn=before, pass_fds=descriptors)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise Refused(f"The command {plan.argv[0]!r} cannot be started ({error}).") from error


def _limit(plan: Plan) -> None:
    """Each process's own limits, somewhat above what the whole tree is held to: they stop what a look at intervals would see too late."""
    _lower(resource.RLIMIT_CORE, 0)
    if plan.driver == "docker":
        return
    _lower(resource.RLIMIT_FSIZE, plan.disk + SLACK)
    if plan.cpu is not None:
        _lower(resource.RLIMIT_CPU, math.ceil(plan.cpu) + 1)
    if plan.memory is not None:
        _lower(resource.RLIMIT_DATA, plan.memory + plan.memory // 4 + (64 << 20))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # when the machine runs out of memory, this goes first


def _lower(which: int, most: int) -> None:
    hard = resource.getrlimit(which)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (most, most))
