"""What worker code does when something goes wrong."""

from __future__ import annotations

from typing import Literal

from guardrails.facts import Fact, Scope
from guardrails.finding import Related
from guardrails.place import Place

Breadth = Literal["all", "broad", "narrow"]
# What an except clause does, the strongest first: it raises, hands the work on again, does something about it, calls what was not read,
# tells in its result, tells an error tracker, only logs, does nothing.
Outcome = Literal["raises", "retries", "acts", "unread", "answers", "tracks", "logs", "nothing"]


class Rescue(Fact, frozen=True, kw_only=True):
    """An except clause in the work of a job, or in work that a handler started and nobody waits for.

    `main`: the try holds the job's work, not a part beside it; `looped`: it stands in a loop of the job, an item a round.
    `light`: losing the work is harmless; `meant`: a comment says that it is dropped on purpose; `skips`: a job that finds its work itself
    leaves it to its next run, untouched; `forgotten`: who runs it does no more than log a failure. `around` is a call in the try; `started`
    is where a spawn started the work (None: a queue did); `way` leads from the job to the clause.
    """

    worker: str
    caught: str
    breadth: Breadth
    outcome: Outcome
    main: bool
    looped: bool = False
    light: bool = False
    meant: bool = False
    skips: bool = False
    forgotten: bool = False
    around: str = ""
    started: Scope | None = None
    way: tuple[Related, ...] = ()


class EatenSignal(Fact, frozen=True, kw_only=True):
    """An except clause that takes what the framework itself must see. `signal` is the exception, `kind` what it asks for; `brief`: what is
    tried takes so short that a time limit hardly falls into it."""

    worker: str
    signal: str
    kind: Literal["retry", "timeout", "cancel"]
    caught: str
    by: Related | None = None
    brief: bool = False
    hidden: bool = False  # options that were not read may keep it from being raised


class FailureLog(Fact, frozen=True, kw_only=True):
    """What an except clause of a job or of a worker's loop writes to the log, all its calls together.

    `names_work`: a value besides the exception is written; `keeps_error`: the exception or its traceback is. `has_work`: there is
    something to name (arguments of the job, the message of a round). `bound` says who adds the context, "" for nobody.
    """

    worker: str
    call: str
    is_loop: bool
    names_work: bool
    keeps_error: bool
    has_work: bool
    bound: str = ""
    hidden: bool = False  # arguments that were not read may name it


class RunningStatus(Fact, frozen=True, kw_only=True):
    """A job writes that its work runs: `failed` and `finished` say where it writes how that ended, None for nowhere."""

    worker: str
    status: str
    written: str
    failed: Place | None
    finished: Place | None
    risk: str = ""
    hidden: bool = False  # something that was not read may write the end


class TwoWriters(Fact, frozen=True, kw_only=True):
    """Whoever hands work over writes a later state of it, which the job writes, too."""

    target: str
    status: str
    written: str
    job_writes: Related
    hidden: bool = False  # what is written is no constant


class DeadEnd(Fact, frozen=True, kw_only=True):
    """Work that failed for good leaves nothing behind. `kept` says who keeps it or tells of it all the same, "" for nobody."""

    call: str
    what: str
    fix: str
    kept: str = ""
    doubtful: bool = False
    hidden: bool = False  # options that were not read decide
