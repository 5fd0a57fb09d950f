"""What is measured of one system: its flow, its rest, and its losses. All times are seconds."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import effects
from .fleet import Fleet
from .systems import LEASE, SLOTS, Place

WINDOW = 4.0  # jobs are counted for so long at most
PATIENCE = 60.0  # until a fleet must have done what it was given
SETTLE, STILL = 1.0, 3.0  # until books are written, and while the CPU of idle workers is counted
SAMPLES = 20  # of the time from enqueue to start
WORK = 0.05  # of a job that may be killed
QUIET = 6 * LEASE  # without any effect: nothing will come any more


class Stuck(Exception):
    """A system did not do its jobs in `PATIENCE`."""


@dataclass
class Figures:
    """What was measured of one system, one value a round; pickups are pooled."""

    enqueue: list[float] = field(default_factory=list)  # jobs a second, a call for each
    many: list[float] = field(default_factory=list)  # jobs a second, one call
    jobs: list[float] = field(default_factory=list)  # jobs a second
    pickups: list[float] = field(default_factory=list)  # seconds from the start of the enqueuing call to the effect
    idle: list[float] = field(default_factory=list)  # CPU seconds a second, all processes of one worker
    losses: Losses | None = None


@dataclass(frozen=True)
class Losses:
    """What became of the jobs of a run in which workers were killed."""

    submitted: int
    kills: int
    missing: int  # their effect never came
    held: int  # unfinished by the system's own book
    doubled: int  # effects beyond the first


def flow(place: Place, jobs: int, figures: Figures) -> None:
    """Enqueue/s with no worker running, then jobs/s from that backlog, counted from the moment at which all slots are taken."""
    place.enqueue(range(SLOTS), effects.MEET)
    figures.enqueue.append(jobs / place.enqueue(range(SLOTS, SLOTS + jobs)))
    took = place.enqueue_many(range(SLOTS + jobs, SLOTS + 2 * jobs))
    if took is None:
        place.enqueue(range(SLOTS + jobs, SLOTS + 2 * jobs))
    else:
        figures.many.append(jobs / took)
    fleet = place.fleet()
    with fleet:
        _until(lambda: effects.count(place.setup.effects) >= SLOTS, fleet)
        deadline = time.monotonic() + WINDOW
        while effects.count(place.setup.effects) < SLOTS + 2 * jobs and time.monotonic() < deadline:
            time.sleep(0.02)
        fleet.kill()
    figures.jobs.append(_rate([effect.at for effect in effects.read(place.setup.effects)]))


def _rate(times: list[float]) -> float:
    start = times[SLOTS - 1]
    inside = [time for time in times[SLOTS:] if time <= start + WINDOW]
    if not inside:
        raise Stuck("no job ran in the window")
    return len(inside) / (inside[-1] - start)


def rest(place: Place, figures: Figures) -> None:
    """Idle CPU, then pickup, of a fleet whose slots have all run a job."""
    place.enqueue(range(SLOTS), effects.MEET)
    fleet = place.fleet()
    with fleet:
        _until(lambda: effects.count(place.setup.effects) >= SLOTS, fleet)
        time.sleep(SETTLE)
        before, start = fleet.cpu(), time.monotonic()
        time.sleep(STILL)
        figures.idle.append((fleet.cpu() - before) / (time.monotonic() - start) / place.setup.workers)
        began = place.trickle(range(SLOTS, SLOTS + SAMPLES))
        _until(lambda: effects.count(place.setup.effects) >= SLOTS + SAMPLES, fleet)
    ran = {effect.job: effect.at for effect in effects.read(place.setup.effects)}
    figures.pickups += [ran[SLOTS + number] - at for number, at in enumerate(began)]


def losses(place: Place, jobs: int, kills: int) -> Losses:
    """Kill while jobs run, by turns a whole worker and any one process, and start anew what is gone; then wait for the last effect."""
    place.enqueue(range(jobs), WORK)
    fleet = place.fleet()
    with fleet:
        for number in range(1, kills + 1):
            _progress(place, lambda done, number=number: done >= jobs * number // (kills + 1))  # type: ignore[misc]
            (fleet.kill_worker if number % 2 else fleet.kill_process)()
            fleet.revive()
        _progress(place, lambda done: done >= jobs, fleet)
        time.sleep(SETTLE)
    ran = effects.read(place.setup.effects)
    distinct = len({effect.job for effect in ran})
    return Losses(jobs, kills, jobs - distinct, place.held(), len(ran) - distinct)


def _progress(place: Place, enough: Callable[[int], bool], fleet: Fleet | None = None) -> None:
    """Wait until so many jobs have left an effect, or none has for `QUIET`."""
    done, since = -1, time.monotonic()
    while not enough(now := len({effect.job for effect in effects.read(place.setup.effects)})):
        if now != done:
            done, since = now, time.monotonic()
        if time.monotonic() - since > QUIET:
            return
        if fleet is not None:
            fleet.revive()
        time.sleep(0.02)


def _until(ready: Callable[[], bool], fleet: Fleet) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > deadline:
            raise Stuck(f"nothing came in {PATIENCE:g} s; the workers said: {fleet.said()}")
        fleet.revive()
        time.sleep(0.02)
