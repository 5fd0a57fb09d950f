"""The supervisor's course: read the plan, start, watch, kill, tell, and remove."""

import fcntl
import os
import resource
import signal
import socket
import time
from contextlib import ExitStack, suppress
from select import POLLIN, poll
from typing import NoReturn

from guardrails.runtime.sandbox.plan import Ended, Plan
from guardrails.runtime.sandbox.supervisor import start, tree
from guardrails.runtime.sandbox.supervisor.scratch import Complained, Refused, helped

_HIGH = 40  # descriptors below are given to bwrap by number
_TICK = 0.05  # seconds between two looks at what the command uses
_STARTS = {"bubblewrap": start.bubblewrap, "docker": start.docker, "process": start.process}


class Caller:
    """The process that wants the command run. The socket closes however it dies, and then everything is ended."""

    def __init__(self, descriptor: int) -> None:
        self.socket = socket.socket(fileno=fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH))
        os.close(descriptor)
        self._number = os.getppid()
        self._waiting = poll()
        self._waiting.register(self.socket, POLLIN)

    def read(self, most: int) -> bytes:
        """Some of the next bytes; raises EOFError when the caller is gone."""
        while not self._waiting.poll(1000):
            if self.gone():
                raise EOFError
        if data := self.socket.recv(min(most, 1 << 20)):
            return data
        raise EOFError

    def plan(self) -> Plan:
        """The plan, which follows its length in 8 bytes."""
        return Plan.of(self._exactly(int.from_bytes(self._exactly(8), "big")))

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            data += self.read(size - len(data))
        return bytes(data)

    def gone(self) -> bool:
        """Whether it is dead, also where a copy of its socket lives on in a process that it forked."""
        return os.getppid() != self._number

    def word(self) -> str:
        """What it says while the command runs: why that is to be stopped."""
        try:
            return self.read(4096).decode()
        except (EOFError, OSError):
            return "gone"

    def tell(self, ended: Ended, work: int | None) -> None:
        """The last word, with the scratch folder's descriptor; then wait until the caller has looked into it."""
        with suppress(EOFError, OSError):
            socket.send_fds(self.socket, [ended.text() + b"\n"], [] if work is None else [work])
            while self.read(4096):
                pass


def main(descriptor: int) -> NoReturn:
    """Supervise one command for the caller at the other end of a socket; never returns."""
    caller = Caller(descriptor)
    try:
        children = tree.Children()
        plan = caller.plan()
        _become(plan.user)
        with ExitStack() as after:
            _supervise(plan, caller, children, after)
    except EOFError:  # the caller is gone; what was begun is ended and removed
        pass
    except Exception as error:
        caller.tell(Ended(begun=False, refused=f"The sandbox's supervisor failed with {error!r}; please report this."), None)
    finally:
        os._exit(0)


def _become(user: int | None) -> None:
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)


def _supervise(plan: Plan, caller: Caller, children: tree.Children, after: ExitStack) -> None:
    try:
        started = _STARTS[plan.driver](plan, children, caller.read, after)
    except (Refused, Complained) as error:
        children.kill()
        _let_go_of_streams()
        caller.tell(_not_begun(plan, error), None)
        return
    _let_go_of_streams()
    watch = Watch(plan, caller, children, started)
    caller.tell(watch.end(watch.wait()), started.work)


def _not_begun(plan: Plan, error: Refused | Complained) -> Ended:
    if isinstance(error, Refused):
        return Ended(begun=False, refused=str(error))
    return Ended(stopped_by="wall") if time.monotonic() >= plan.deadline else Ended(begun=False, told=str(error))


def _let_go_of_streams() -> None:
    """Only the command holds its streams now, so that their ends are seen."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)


class Watch:
    """Waits for a command's end or for a limit, whichever comes first."""

    def __init__(self, plan: Plan, caller: Caller, children: tree.Children, started: start.Started) -> None:
        self._plan, self._caller, self._children, self._started = plan, caller, children, started
        self._cpu = 0.0
        self._measure_at = 0.0

    def wait(self) -> str | None:
        """None when the command ended by itself; the limit that it crossed, or what the caller said, or "gone"."""
        waiting = poll()
        waiting.register(self._caller.socket, POLLIN)
        waiting.register(self._children.wake, POLLIN)
        while True:
            left = self._plan.deadline - time.monotonic()
            ready = {number for number, _ in waiting.poll(max(0.0, min(_TICK, left)) * 1000)}
            self._children.reap()
            if self._started.main.pid in self._children.ended:
                return None
            if self._caller.socket.fileno() in ready:
                return self._caller.word()
            if self._caller.gone():
                return "gone"
            if left <= 0:
                return "wall"
            if crossed := self._crossed():
                return crossed

    def _crossed(self) -> str | None:
        plan = self._plan
        pids = list(self._started.pids())
        use = tree.use(pids)
        self._cpu = use.cpu + (_reaped() if plan.driver != "docker" else 0)
        if use.tasks - plan.overhead > plan.processes:
            return "processes"
        if plan.cpu is not None and self._cpu > plan.cpu:
            return "cpu"
        if plan.memory is not None and plan.driver != "docker" and use.resident > plan.memory and tree.held(pids) > plan.memory:
            return "memory"
        return "disk" if self._disk() else None

    def _disk(self) -> bool:
        """Whether the scratch folder holds too much; looked at less often the longer a look takes."""
        begin = time.monotonic()
        if begin < self._measure_at:
            return False
        over = self._started.over()
        self._measure_at = time.monotonic() + 10 * (time.monotonic() - begin)
        return over

    def end(self, stopped: str | None) -> Ended:
        """End all that is left of the command, and say how it went."""
        plan, started = self._plan, self._started
        if plan.stop and stopped:
            helped(plan.stop, plan.helping, 5)
        self._children.kill(started.leaders)
        told = helped(plan.inspect, plan.helping, 5)[1] if plan.inspect else ""
        status = self._children.ended[started.main.pid]
        number = -status if status < 0 else status - 128 if plan.driver != "process" and 128 < status <= 192 else None
        return Ended(
            begun=stopped is not None or started.begun(),
            exit_code=status if status >= 0 and stopped is None else None,
            signal=number if stopped is None else int(signal.SIGKILL),
            stopped_by=stopped or self._blamed(number),
            cpu=None if plan.driver == "docker" else max(self._cpu, _reaped()),  # a killed namespace may be reaped after this
            told=told,
        )

    def _blamed(self, number: int | None) -> str | None:
        """The limit at which the kernel ended the command, or its folder is found to have crossed."""
        if number == signal.SIGXFSZ or self._started.over():
            return "disk"
        spent = self._plan.cpu is not None and _reaped() > self._plan.cpu
        return "cpu" if number == signal.SIGXCPU or spent else None


def _reaped() -> float:
    """Processor seconds of all that died below."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
