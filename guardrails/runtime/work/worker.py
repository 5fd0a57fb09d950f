"""A worker process: claims attempts, runs their bodies in warm child processes, records one outcome each, and can be killed at any moment.

At-least-once execution, one recorded outcome: a run may happen again after a death, its outcome is written under the fence of the present
run only.
"""

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any, Literal

from guardrails.runtime import settings
from guardrails.runtime.declare import Job, Queue, registry
from guardrails.runtime.engine import Fleet
from guardrails.runtime.errors import DeclarationError, RuntimeFault
from guardrails.runtime.home import Home, home
from guardrails.runtime.logs.redact import Redactor
from guardrails.runtime.plain import said
from guardrails.runtime.pool.frames import GarbledFrame
from guardrails.runtime.pool.warm import Pool
from guardrails.runtime.store.jobs import Dead, Ending, Started, new_fence
from guardrails.runtime.store.output import Output as Writer
from guardrails.runtime.work import run
from guardrails.runtime.work.effects import Effects
from guardrails.runtime.work.house import House
from guardrails.runtime.work.lease import Keeper, Leases
from guardrails.runtime.work.lock import only_worker
from guardrails.runtime.work.logbook import Logbook
from guardrails.runtime.work.process import ProcessTalk
from guardrails.runtime.work.run import Active
from guardrails.runtime.work.thread import ThreadTalk

log = logging.getLogger("guardrails.runtime")
Until = Literal["stopped", "drained", "one"]
WATCH = 0.2  # seconds between two looks at whether the lease still holds


@dataclass(frozen=True)
class Plan:
    """What a worker serves: the application's module, its queues with their limits, how long it goes on."""

    app: str
    queues: Sequence[Queue]
    until: Until = "stopped"

    @property
    def jobs(self) -> list[str]:
        """The jobs that are declared."""
        return sorted(registry.jobs)


def plan(app: str, queues: Sequence[str] = (), concurrency: int | None = None, until: Until = "stopped") -> Plan:
    """A worker's plan; `concurrency` replaces that of each queue served. Raises DeclarationError for a queue that no job names."""
    known = registry.queue_names()
    missing = [name for name in queues if name not in known]
    if missing:
        raise DeclarationError(f"No job of {app} uses queue {missing[0]!r}; its queues are: {', '.join(known)}.")
    served = [registry.queue(name) for name in (queues or known)]
    if until == "one":
        concurrency = 1
    if concurrency is not None:
        served = [replace(queue, concurrency=concurrency) for queue in served]
    return Plan(app, served, until)


class Worker:
    """One worker; `serve` returns when it was stopped, or has drained its queues."""

    def __init__(self, plan: Plan) -> None:
        self.id = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._plan = plan
        self._settings = settings.current()
        self._home: Home = home()
        self._pool = Pool(plan.app)
        self._writer = Writer(self._home.database)
        self._leases = Leases(self._home.database, self._settings.lease)
        self._fleet = Fleet(self._home.database, self.id, plan.queues, self._attempt, self._pass_on, self._settings.poll)
        self._keeper = Keeper(self._leases, self._fleet, self.id, self._settings.lease, self._pool.renew, self._fence, self._unfence)
        names = [queue.name for queue in plan.queues]
        self._house = House(self._home, names, self._settings, self._actives, self._keeper.holds)
        self._active: dict[str, Active] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._idle = threading.Event()
        self._gone = threading.Event()
        self._lost: str | None = None
        self._begun = False
        self.finished = 0

    @property
    def shown(self) -> str:
        """The database, without its password."""
        return self._home.database.shown

    def serve(self, begun: Callable[[], None] = lambda: None) -> int:
        """Work, and call `begun` once it does; the exit status: 0 stopped or drained, 75 (try again) where others took it for dead."""
        with only_worker(self._home.database):
            try:
                self._begin()
                begun()
                self._watch()
            finally:
                self._end()
        return 75 if self._lost else 0

    def stop(self, *_signal: object) -> None:
        """Claim nothing more; give what runs the grace period, then hand it back."""
        self._stop.set()

    def _begin(self) -> None:
        self._keeper.begin([queue.name for queue in self._plan.queues])
        self._fleet.launch(self._home.client)
        if self._home.database.dialect == "sqlite":
            self._fleet.recover(sorted(self._fleet.pending() - {self.id}))  # the file's lock says that they are dead
        self._house.start()

    def _watch(self) -> None:
        while not self._stop.wait(WATCH):
            if not self._keeper.holds() and not self._keeper.fenced:
                self._keeper.fenced = True
                self._fence("its lease was not renewed in time")
            if not self._home.database.there():
                self._fence("others have removed or replaced the database file: start a worker for the new one", for_good=True)
            if self._lost or self._finished():
                return

    def _finished(self) -> bool:
        """Whether the plan is fulfilled: one job done, or nothing left to do."""
        if self._plan.until == "one" and self.finished > 0:
            return True
        try:
            return self._plan.until != "stopped" and not self._fleet.held() and self._house.drained()
        except RuntimeFault:
            return False

    def _end(self) -> None:
        """The orderly end: stop claiming, wait, hand back, go."""
        self._stop.set()
        self._house.stop()
        if self._fleet.launched:
            self._fleet.stop_claiming()
        if not self._lost:
            self._wait_idle(self._settings.grace)
        for active in self._actives():
            active.stop("its worker was stopped")
        self._wait_idle(5.0)
        self._keeper.stop()
        self._pool.close()
        self._gone.set()
        if not self._lost and not self._actives():
            with suppress(RuntimeFault):  # then it runs out by itself
                self._leases.drop(self.id)

    def _wait_idle(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (self._actives() or self._fleet.held()) and (left := until - time.monotonic()) > 0:
            self._idle.clear()
            self._idle.wait(min(left, 0.5))

    def _attempt(self, job: str, generation: int, attempt: int) -> None:
        """The engine's call: one claimed attempt. It never raises, since the engine would take that for the job's end."""
        fence = new_fence()
        started = self._patiently(lambda: self._start(job, generation, attempt, fence))
        if isinstance(started, Dead):
            self._alert(started.id, started.name, started.error)
        if not isinstance(started, Started):
            return
        with self._running(started) as active:
            ending = self._ending(active)
            recorded = self._patiently(lambda: self._home.jobs.end(started, ending))
            if isinstance(active.talk, ProcessTalk) and (left := active.talk.leave()):
                log.warning("Job %s (%s): %s", started.id, started.name, left)
        if not recorded:
            log.warning("Job %s: this run's outcome (%s) is not recorded, another run has taken over.", started.id, ending.status)
            return
        self._told(active, ending)

    def _pass_on(self, job: str, generation: int, attempt: int) -> None:
        """A claimed attempt for which no slot became free."""
        self._patiently(lambda: self._home.jobs.pass_on(job, generation, attempt, "its worker had no slot for it"))

    def _start(self, job: str, generation: int, attempt: int, fence: str) -> Started | Dead | None:
        if not self._keeper.holds():
            raise RuntimeFault(f"Job {job} is not begun: this worker holds no lease at the moment")
        return self._home.jobs.start(job, generation, attempt, self.id, fence)

    def _ending(self, active: Active) -> Ending:
        started = active.started
        if active.stopped is not None:
            return run.handed_back(active.stopped)
        declared = registry.jobs.get(started.name)
        if declared is None:
            log.error("Job %s: this worker knows no job called %s; it waits for one that does.", started.id, started.name)
            return run.offered_again(started, f"no worker knows the job {started.name}", time.time())
        try:
            return self._converse(active, declared)
        except GarbledFrame as fault:  # what its steps have recorded will not become less
            told = {"type": type(fault).__name__, "message": f"the job cannot be handed to its process: {fault}"}
            return run.unfinished(started, declared, ("AttemptFailed", told), terminal=True)
        except RuntimeFault as fault:
            log.error("Job %s could not be run: %s", started.id, fault)
            if not self._keeper.holds():
                return run.handed_back("its worker lost its lease")
            return run.offered_again(started, str(fault), time.time())
        except BaseException as error:  # the engine would take one that gets away for the job's end
            log.exception("Job %s could not be run", started.id)
            told = {"type": type(error).__name__, "message": f"the worker failed: {type(error).__name__}: {said(error)}"}
            return run.unfinished(started, declared, ("AttemptFailed", told))

    def _converse(self, active: Active, job: Job[Any, Any]) -> Ending:
        started = active.started
        finished = self._finished_steps(started)
        task = run.task_of(started, finished)
        same = started.version == job.shape.version  # else the body tells: it is no worker's to run an upcaster
        sensitive = job.shape.sensitive(started.payload, started.version) if same else ()
        logbook = Logbook(self._writer, started, Redactor(sensitive, job.shape.sensitive_names))
        effects = Effects(self._home.jobs, self._writer, self._fleet.step, logbook)
        talk = ThreadTalk(task) if job.isolation == "thread" else ProcessTalk(self._pool, task, job.timeout)
        with active.lock:
            active.talk, active.flush = talk, effects.flush
            stopped = active.stopped
        try:
            if stopped is not None:
                talk.kill()
            return run.Conversation(active, job, talk, effects).hold()
        except BaseException:
            talk.kill()
            raise
        finally:
            active.flush = lambda: None
            effects.close()

    def _finished_steps(self, started: Started) -> dict[str, str]:
        if started.attempt == 1 and started.generation == started.steps_from:
            return {}
        return self._home.client.steps(started.id, started.steps_from, (started.generation, started.attempt))

    def _told(self, active: Active, ending: Ending) -> None:
        started = active.started
        self.finished += not active.stopped
        run_of = (started.id, started.name, started.key, started.start)
        if ending.status == "retrying":
            log.warning("Job %s (%s, key %s) run %d failed: %s; again in %.1f s", *run_of, ending.error, ending.delay)
        else:
            log.info("Job %s (%s, key %s) run %d: %s", *run_of, ending.status)
        if ending.status == "dead":
            self._alert(started.id, started.name, str(ending.error))

    def _alert(self, job: str, name: str, error: str) -> None:
        log.error("Job %s (%s) is a dead letter: %s", job, name, error)
        for hook in registry.alert_hooks:
            try:
                hook(job, name, error)
            except Exception:
                log.exception("The alert hook %s failed", getattr(hook, "__name__", hook))

    def _patiently(self, act: Callable[[], Any]) -> Any:
        """Do what the database must not lose, until it is there again; a worker that ends meanwhile leaves the claim to be recovered."""
        pause = 0.1
        while True:
            try:
                if self._lost:
                    raise RuntimeFault(f"this worker has lost its lease: {self._lost}")
                return act()
            except RuntimeFault as fault:
                log.warning("%s; trying again in %.1f s.", fault, pause)
            if self._gone.wait(pause):
                threading.Event().wait()  # never return into the engine: it would take the attempt for finished
            pause = min(pause * 2, 2.0)

    @contextmanager
    def _running(self, started: Started) -> Iterator[Active]:
        active = Active(started)
        with self._lock:
            self._active[started.fence] = active
            surplus = self._plan.until == "one" and self._begun
            self._begun = True
        if surplus or self._stop.is_set():
            active.stop("its worker was stopped")
        try:
            yield active
        finally:
            with self._lock:
                self._active.pop(started.fence, None)
            self._idle.set()

    def _actives(self) -> list[Active]:
        with self._lock:
            return list(self._active.values())

    def _fence(self, why: str, for_good: bool = False) -> None:
        """Stop all own jobs, before anybody else may run them."""
        log.error("This worker stops its jobs: %s.", why)
        for active in self._actives():
            active.stop("its worker lost its lease")
        if for_good:
            self._lost = why

    def _unfence(self) -> None:
        log.warning("This worker has its lease again.")


def on_signals(worker: Worker) -> None:
    """SIGTERM and SIGINT stop the worker; a second one ends it at once (its jobs are run again by others)."""

    def stop(number: int, _frame: FrameType | None) -> None:
        if worker._stop.is_set():
            os._exit(128 + number)
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
