"""What happens around a hand-over: open transactions, keys that change with every run."""

from __future__ import annotations

from guardrails.facts import Fact
from guardrails.finding import Related, Repair


class EarlyEnqueue(Fact, frozen=True, kw_only=True):
    """Work handed to a queue while a transaction is open. `opened` is where it opens, `way` the calls from there down to the hand-over.

    `opens` says it in words: `transaction.atomic()`, a request of the project. `patient` says why the job hardly misses the rows ("" where
    it may): then only a rollback hurts.
    """

    target: str
    opens: str
    opened: Related
    way: tuple[Related, ...] = ()
    fix: str = ""
    repair: Repair | None = None
    patient: str = ""


class UnstableKey(Fact, frozen=True, kw_only=True):
    """A key that is made anew on every run. `key` names it (an argument, a header), `carrier` what carries it, `source` what makes it.

    `job` is the symbol of the job that is enqueued with it, "" for a call to somebody else. `always`: it is what the job's declaration
    makes for every hand-over. `received`: of an event that a webhook receives.
    """

    key: str
    carrier: str
    source: str
    made: Related
    job: str = ""
    always: bool = False
    received: bool = False


class Tick(Fact, frozen=True, kw_only=True):
    """A clock that starts a job, with what keeps two runs apart. `every`: seconds between two ticks, None where that cannot be told.

    `apart` says in words why runs cannot overlap ("" for nothing seen), `together` what lets them, on purpose or not; `doubt` why it
    cannot be told. `does` are calls in the job whose second, parallel run does harm.
    """

    job: str
    symbol: str
    when: str
    every: float | None
    apart: str = ""
    together: str = ""
    doubt: str = ""
    does: tuple[Related, ...] = ()


class Clock(Fact, frozen=True, kw_only=True):
    """A clock that ticks once in each of several processes. `what` is the clock, `where` says in words in which processes it runs.

    `shown` are the places that say so; `chosen`: a setting decides whether it runs here.
    """

    what: str
    where: str
    shown: tuple[Related, ...] = ()
    chosen: bool = False
    fix: str = ""
