"""When a schedule's ticks fall: pure, from epoch seconds to epoch seconds."""

import bisect
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from guardrails.runtime.errors import DeclarationError
from guardrails.runtime.numeric import is_number

Missed = Literal["skip", "once"]
LATE = 60.0  # seconds; a tick seen later than that was missed, as no worker ran
ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_EPOCH = datetime(1970, 1, 1)
_HOURS = set(range(24))


class Schedule(ABC):
    """A row of ticks without an end, each a second or more after the one before."""

    @abstractmethod
    def next_after(self, t: float) -> float:
        """The first tick after `t`; both in epoch seconds."""

    def ticks_between(self, after: float, until: float, limit: int) -> list[float]:
        """The first `limit` ticks in (after, until], in order."""
        found: list[float] = []
        while len(found) < limit and (after := self.next_after(after)) <= until:
            found.append(after)
        return found

    def latest(self, after: float, until: float) -> float | None:
        """The last tick in (after, until], None where there is none; quick also where millions were missed."""
        if until <= after or (tick := self.next_after(after)) > until:
            return None
        seconds = range(math.floor(tick), math.floor(until) + 1)
        passed = bisect.bisect_right(seconds, False, key=lambda second: self.next_after(second) > until)
        return self.next_after(seconds[passed - 1]) if passed else tick


@dataclass(frozen=True, slots=True)
class Every(Schedule):
    """A tick each `seconds` (1 or more), counted from the epoch, so that all workers agree without a word. Raises DeclarationError."""

    seconds: float

    def __post_init__(self) -> None:
        if not is_number(self.seconds) or not 1 <= self.seconds < math.inf:
            raise DeclarationError(f"A schedule's every=.. is a finite number of seconds, at least 1, not {self.seconds!r}.")

    def next_after(self, t: float) -> float:
        """The first multiple of the interval after `t`; both in epoch seconds."""
        count = math.floor(t / self.seconds)
        while (tick := count * self.seconds) <= t:
            count += 1
        return float(tick)


@dataclass(frozen=True, slots=True)
class Cron(Schedule):
    """Ticks by a cron expression (minute, hour, day of month, month, day of week; or @hourly, @daily ..) on the clocks of a time zone.

    When clocks go forward, ticks in the hour that does not exist fall right after the gap, as one. When they go back, a tick in the hour
    that comes twice falls in the first of the two, once. An expression whose hour field holds every hour goes by elapsed time instead, so
    that it neither pauses nor doubles: Debian's rule (man 8 cron). Where day of month and day of week are both given, either may match;
    where one of them begins with `*`, both must. Raises DeclarationError for what is no expression, or never comes.
    """

    text: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError, TypeError) as error:
            raise DeclarationError(f"There is no time zone {self.zone!r}; give a name such as 'Europe/Paris' or 'UTC'.") from error
        if not isinstance(self.text, str) or len(ALIASES.get(self.text, self.text).split()) != 5:
            raise DeclarationError(
                f"The cron expression {self.text!r} must have 5 fields (minute, hour, day of month, month, day of week) or be one of "
                f"{', '.join(ALIASES)}; for seconds use every=.."
            )
        try:
            next(CronSim(_expression(self.text), _EPOCH))
        except (CronSimError, ValueError) as error:
            raise DeclarationError(f"The cron expression {self.text!r} is not valid: {str(error).lower()}.") from error
        except StopIteration as error:
            raise DeclarationError(f"The cron expression {self.text!r} never matches a date.") from error

    def next_after(self, t: float) -> float:
        """The first tick after `t`; both in epoch seconds."""
        start = datetime.fromtimestamp(math.floor(t), ZoneInfo(self.zone))
        return next(tick for clock in CronSim(_expression(self.text), start) if (tick := clock.timestamp()) > t)


@cache
def _expression(text: str) -> str:
    """The expression for cronsim, which goes by elapsed time where minute or hour begins with `*`: so only the hour may, for every hour."""
    minute, hour, days = ALIASES.get(text, text).split(None, 2)
    every_hour = CronSim(f"0 {hour} * * *", _EPOCH).hours == _HOURS
    return f"{_ranged(minute, '0-59')} {'*' if every_hour else _ranged(hour, '0-23')} {days}"


def _ranged(field: str, whole: str) -> str:
    return whole + field[1:] if field.startswith("*") else field


def due(schedule: Schedule, last: float | None, now: float, missed: Missed = "skip") -> tuple[list[float], float]:
    """The ticks to run now (none or one), and the new `last`: how far the schedule has been looked at. All in epoch seconds.

    Of the ticks in (last, now] only the latest can run, so a backlog is at most one. Under "skip" it runs if it is no older than LATE
    seconds, else it was missed and the next one runs; under "once" it runs in any case, for all that were missed. A new schedule (`last`
    None) begins now, and so should one whose expression was changed. Where the clock goes back, `last` stays, so no tick is repeated; but
    one that is further ahead than LATE was written by a clock that was wrong: the schedule begins anew, and the keys of its ticks tell
    those that ran.
    """
    if last is None or last > now + LATE:
        return [], now
    tick = schedule.latest(last, now)
    if tick is None:
        return [], last
    return ([tick] if missed == "once" or now - tick <= LATE else []), tick


def run_key(name: str, tick: float) -> str:
    """The idempotency key of a tick's run: `nightly@2025-03-30T01:00:00Z`."""
    return f"{name}@{datetime.fromtimestamp(tick, UTC).replace(tzinfo=None).isoformat()}Z"
