"""How much a worker claims of a queue, and when it looks: by DBOS's own loop, but at our pace.

DBOS looks once in each polling interval and claims no more than the free slots, so slots / interval jobs a second, whatever the bodies do.
Here a look also comes when a bell says that something waits, and when half of what was claimed is done; it may claim as many more as this
worker has ended in the last `QUICK` seconds: none where bodies take longer. What was claimed and found no slot within `PATIENCE` is given
back for other workers. Until it has a slot it is still queued in our book: neither giving it back nor a death costs it a run.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrails.runtime.declare import Queue

QUICK = 0.25  # seconds
PATIENCE = 1.0  # seconds
MOST_AHEAD = 100
BREATH = 0.02  # seconds at least between two looks
DEAF = (0.02, 0.25)  # seconds at first and at most for which no bell is heard after one in vain: a limit is reached, or others were quicker


class Claims:
    """What one worker holds of one queue. DBOS's loop takes it for the `threading.Event` that ends it: `wait` returns when to look."""

    def __init__(self, queue: "Queue", look: Callable[[int], None] = lambda room: None) -> None:
        """`look` is told before each look how many claims there is room for."""
        self._slots = queue.concurrency
        self.shared(queue.limit is not None or queue.rate is not None)
        self._look = look
        self._turn = threading.Condition()  # of the loop
        self._free = threading.Semaphore(queue.concurrency)
        self._held = 0
        self._ended: deque[float] = deque(maxlen=MOST_AHEAD)
        self._due = self._rung = self._over = False
        self._looked = self._deaf = self._deaf_until = 0.0

    def shared(self, limited: bool) -> None:
        """Whether limits over all workers hold: then nothing is claimed ahead, as the engine counts claims against them."""
        self._most_ahead = 0 if limited else MOST_AHEAD

    def is_set(self) -> bool:
        """Whether claiming is over."""
        return self._over

    def set(self) -> None:
        """Claim nothing more, and begin nothing more of what is claimed."""
        with self._turn:
            self._over = True
            self._turn.notify()
        self._free.release(self._held + 1)

    def wait(self, timeout: float) -> bool:
        """Until there is room, and a look is due or `timeout` (seconds) is over; True when claiming is over."""
        until = time.monotonic() + timeout
        with self._turn:
            while not self._over:
                now, room = time.monotonic(), self.room()
                rest = max(self._looked + BREATH, now if self._due or self._rung else until) - now
                if room and rest <= 0:
                    if self._rung:
                        self._deaf = min(2 * self._deaf or DEAF[0], DEAF[1])
                        self._deaf_until = now + self._deaf
                    self._due, self._rung, self._looked = False, False, now
                    self._look(room)
                    return False
                self._turn.wait(rest if room else None)
            return True

    def ring(self) -> None:
        """Something waits in the queue: look for it if a slot is free, unless a look at the last bell has found nothing to claim."""
        with self._turn:
            if not self._rung and self._held < self._slots and time.monotonic() >= self._deaf_until:
                self._rung = True
                self._turn.notify()

    def room(self) -> int:
        """How many more may be claimed now."""
        return max(0, self._slots + self._ahead() - self._held)

    def _ahead(self) -> int:
        since = time.monotonic() - QUICK
        return min(self._most_ahead, sum(ended > since for ended in self._ended))

    @contextmanager
    def slot(self) -> Iterator[bool]:
        """Hold a claim until a slot is free: True, the slot is its own; False, none became free, and it is to be given back."""
        with self._turn:
            self._held += 1
            self._deaf = self._deaf_until = 0.0
        free = self._free.acquire(timeout=PATIENCE)
        try:
            yield free and not self._over
        finally:
            if free:
                self._free.release()
            with self._turn:
                self._held -= 1
                self._ended.append(time.monotonic() if free else -math.inf)
                self._due = self._due or 2 * self._held <= self._slots + self._ahead()
                self._turn.notify()

    @property
    def held(self) -> int:
        """How many claims are not over."""
        return self._held
