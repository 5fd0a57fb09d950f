"""The warm pool: child processes that have the application imported, one task at a time each, replaced once a job has marked them."""

import os
import threading
import time
from collections.abc import Mapping

from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.pool.parent import Child as Child
from guardrails.runtime.pool.parent import Gone as Gone

START_SECONDS = 60.0  # for the import of the application
RECYCLE_AFTER = 500  # runs
MAX_OUTPUT = 1024 * 1024  # bytes of what a run prints
_PAUSES = (1.0, 60.0)  # seconds between two starts that fail: the first pause, doubled up to the last


class Pool:
    """Warm children of one application; any thread may call anything.

    A spare is started in the background, so that a replacement is usually there. Children that cannot be started, because the application
    cannot be imported any more, are started ever more slowly; `take` waits for that.
    """

    def __init__(
        self, app: str, *, environ: Mapping[str, str] | None = None, spares: int = 1, start_seconds: float = START_SECONDS,
        recycle_after: int = RECYCLE_AFTER, max_output: int = MAX_OUTPUT,
    ) -> None:  # fmt: skip
        """app: a module or file, see `application.load`; environ: of the children, by default this process's when they are started."""
        self._app, self._environ = app, environ
        self._spares, self._start_seconds = spares, start_seconds
        self._recycle_after, self._max_output = recycle_after, max_output
        lock = threading.Lock()
        self._turn = threading.Condition(lock)  # of those who take
        self._missing = threading.Condition(lock)  # of the keeper
        self._all: set[Child] = set()
        self._idle: list[Child] = []
        self._dead: list[Child] = []  # found dead while idle, for the keeper to bury
        self._until: float | None = None
        self._failures = 0
        self._not_before = 0.0  # monotonic seconds of the next start
        self._closed = False
        self._keeper = threading.Thread(target=self._keep_spares, name="guardrails-pool", daemon=True)
        self._keeper.start()

    def take(self) -> Child:
        """A warm child of one's own, to be given back.

        Raises `RuntimeFault` when the application cannot be imported (its detail is the traceback), the lease is over, or the pool closed.
        """
        with self._turn:
            while (child := self._warm()) is None and (pause := self._not_before - time.monotonic()) > 0:
                self._turn.wait(pause)
            if child is not None:
                return child
            if self._failures:  # this thread finds out whether it works again; the others wait for that
                self._not_before = time.monotonic() + _PAUSES[0]
        return self._started()

    def give_back(self, child: Child, clean: bool) -> None:
        """Take a child back after its run; it is kept if the run left nothing behind, in the caller's view too, else it is killed."""
        with self._turn:
            if clean and not self._closed and child.runs < self._recycle_after and child.reusable:
                self._idle.append(child)
                self._turn.notify()
                return
        self._bury(child)

    def renew(self, until: float | None) -> None:
        """The worker's lease lasts until then (monotonic seconds): all children die at that moment unless it is renewed again."""
        with self._turn:
            self._until = until
            for child in self._all:
                child.renew(until)
            self._missing.notify()
            self._turn.notify_all()

    def close(self) -> None:
        """Kill all children with everything below them; returns once they are dead. Those that are taken are still to be given back."""
        with self._turn:
            self._closed = True
            idle, children = self._idle, set(self._all)
            self._idle = []
            self._missing.notify()
            self._turn.notify_all()
        for child in children:
            child.order_kill()
        for child in children.difference(idle):
            child.kill()
        for child in idle:
            self._bury(child)
        self._keeper.join()

    def _warm(self) -> Child | None:
        """An idle child that lives, the latest first. Raises `RuntimeFault` where none may work."""
        self._refuse()
        while self._idle:
            child = self._idle.pop()
            if len(self._idle) < self._spares:
                self._missing.notify()
            if child.reusable:
                return child
            self._dead.append(child)
        self._missing.notify()
        return None

    def _refuse(self) -> None:
        """Raise `RuntimeFault` if no child may be started now."""
        if self._closed:
            raise RuntimeFault("The pool of child processes is closed: its worker is ending.")
        if self._over():
            raise RuntimeFault("No child process is started: this worker's lease is over, until it is renewed.")

    def _over(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until

    def _started(self) -> Child:
        """A new child, once it is ready."""
        try:
            child = self._created()
            try:
                child.await_ready(self._start_seconds)
            except BaseException:
                self._bury(child)
                raise
        except RuntimeFault:
            self._failed()
            raise
        with self._turn:
            self._failures, self._not_before = 0, 0.0
            self._missing.notify()
            self._turn.notify_all()
        return child

    def _created(self) -> Child:
        with self._turn:
            self._refuse()
            until = self._until
        try:
            child = Child(self._app, os.environ if self._environ is None else self._environ, until, self._max_output)
        except OSError as error:
            raise RuntimeFault(f"The system starts no more child processes: {error}.") from error
        with self._turn:
            self._all.add(child)
            child.renew(self._until)
            closed = self._closed
        if closed:
            child.order_kill()
        return child

    def _failed(self) -> None:
        """Wait before the next start, ever longer, unless it was this pool that was not willing."""
        with self._turn:
            self._refuse()
            pause = min(_PAUSES[0] * 2 ** min(self._failures, 10), _PAUSES[1])
            self._failures += 1
            self._not_before = time.monotonic() + pause
            self._missing.notify()
            self._turn.notify_all()

    def _bury(self, child: Child) -> None:
        child.kill()
        with self._turn:
            self._all.discard(child)
        child.close()

    def _keep_spares(self) -> None:
        """The keeper's thread: bury idle children that died, and start what is missing."""
        while True:
            with self._turn:
                while not self._closed and not self._dead and (pause := self._until_start()) != 0:
                    self._missing.wait(pause)
                dead, self._dead = self._dead, []
                closed, due = self._closed, self._until_start() == 0
            for child in dead:
                self._bury(child)
            if closed:
                return
            if due:
                self._start_spare()

    def _until_start(self) -> float | None:
        """Seconds until a spare should be started; None while something else has to happen before."""
        if len(self._idle) >= self._spares or self._over():
            return None
        return max(0.0, self._not_before - time.monotonic())

    def _start_spare(self) -> None:
        try:
            child = self._started()
        except RuntimeFault:
            return  # whoever takes a child is told
        with self._turn:
            kept = not self._closed
            if kept:
                self._idle.append(child)
                self._turn.notify_all()
        if not kept:
            self._bury(child)
