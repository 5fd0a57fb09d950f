"""A framework model: what YAML can say about a framework. The JSON schema of these structures is published.

Symbols are access paths from an import: `celery.Celery().task` is the attribute `task` of what calling `celery.Celery` gives.
`{verb}` in a symbol stands for any of the model's `verbs`. Selectors name an argument of a call: `timeout` (by name), `0` (by
position), `2.jobId` (a key of a mapping argument), `*` (all), `rest` (all after the job). A selector is tried on the call itself, then on
the calls in the chain before it (`task.configure(lock=..).defer(..)`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

from guardrails.frameworks.forms.data import LogForm, Rows
from guardrails.frameworks.forms.effects import EffectForm, GuardForm, SlowForm
from guardrails.frameworks.forms.failing import DeadEndForm, FailureWords, SignalForm
from guardrails.frameworks.forms.flow import ClockForm, Commit, Keying, SessionForm, StartupForm, TransactionForm
from guardrails.frameworks.forms.lifecycle import ConnectionForm, StartForm
from guardrails.frameworks.forms.payload import Contents, Queues, Secrecy
from guardrails.frameworks.forms.results import ResultForm
from guardrails.frameworks.forms.retrying import Decoded, Delivery, Ignored, Kept, PauseForm, RetryForm
from guardrails.frameworks.forms.trust import Access, DestinationForm, Trust
from guardrails.frameworks.forms.waiting import DeadlineForm, LimitForm, WaitForm
from guardrails.frameworks.forms.web import Extension, HandlerForm
from guardrails.frameworks.forms.work import EnqueueForm, JobForm, Key, Repeats, ScheduleForm, SpawnForm, Timeout

ROLES: tuple[str, ...] = (
    "connections",
    "starts",
    "waits",
    "clocks",
    "startups",
    "deadlines",
    "results",
    "slow",
    "effects",
    "destinations",
    "dead_ends",
    "retries",
    "pauses",
    "kept",
    "decoded",
)  # fields of a model whose forms name a `call` or a `decorator`: each match becomes a sighting of that role


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One framework."""

    framework: str
    title: str
    languages: tuple[str, ...]
    packages: tuple[str, ...]  # import roots: a file that holds none of them nor of `words` does not use it
    sources: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    aliases: dict[str, str] = {}  # other spellings of a symbol
    returns: dict[str, str] = {}  # what a call gives, where it is not `symbol()`
    callbacks: dict[str, str] = {}  # by the type or the call that takes a closure: the path of the closure's first parameter
    extensions: tuple[Extension, ...] = ()
    whole: dict[str, str] = {}  # symbols of objects that carry more than a log should hold, in words
    apps: tuple[str, ...] = ()  # symbols of applications, to which settings belong
    tells: dict[str, str] = {}  # methods that only its applications have, by which one of an unknown class is told, with their symbol
    worker: str = ""  # a regular expression on command lines that start its workers
    jobs: tuple[JobForm, ...] = ()
    message: Literal["", "path", "name"] = ""  # how a queued message names a job that has no name of its own; "": nothing is queued
    timeout: Timeout | None = None
    repeats: Repeats | None = None
    retries: tuple[RetryForm, ...] = ()
    pauses: tuple[PauseForm, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    kept: tuple[Kept, ...] = ()
    decoded: tuple[Decoded, ...] = ()
    delivery: Delivery | None = None
    every_error: tuple[str, ...] = ()  # symbols of exceptions that mean any failure
    terminal_errors: tuple[str, ...] = ()  # and of those that no retry can mend
    reading_errors: tuple[str, ...] = ()  # of the latter: what reading an answer raises that is not as it should be
    key: Key | None = None
    enqueues: tuple[EnqueueForm, ...] = ()
    handlers: tuple[HandlerForm, ...] = ()
    spawns: tuple[SpawnForm, ...] = ()
    schedules: tuple[ScheduleForm, ...] = ()
    logs: tuple[LogForm, ...] = ()
    rows: Rows | None = None
    contents: Contents | None = None
    schemas: tuple[str, ...] = ()  # bases and decorators of classes that describe data
    queue: Queues | None = None
    connections: tuple[ConnectionForm, ...] = ()
    starts: tuple[StartForm, ...] = ()
    secrecy: Secrecy | None = None
    waits: tuple[WaitForm, ...] = ()
    limits: tuple[LimitForm, ...] = ()
    deadlines: tuple[DeadlineForm, ...] = ()
    results: tuple[ResultForm, ...] = ()
    slow: tuple[SlowForm, ...] = ()
    effects: tuple[EffectForm, ...] = ()
    trust: Trust | None = None
    access: Access | None = None
    destinations: tuple[DestinationForm, ...] = ()
    callbacks_named: tuple[str, ...] = ()  # names of arguments that hold an address which another service calls
    guards: tuple[GuardForm, ...] = ()
    records_once: tuple[str, ...] = ()  # calls that record an id once: get_or_create, cache.add, set(nx=True)
    locks: tuple[str, ...] = ()
    signals: tuple[SignalForm, ...] = ()
    failures: FailureWords | None = None
    dead_ends: tuple[DeadEndForm, ...] = ()
    steps: tuple[str, ...] = ()  # decorators of functions whose result is recorded: a later run of the job takes it from there
    contexts: tuple[str, ...] = ()  # `with` blocks whose arguments count for the hand-overs inside: `SetWorkflowID()` selects their first
    transactions: tuple[TransactionForm, ...] = ()
    sessions: tuple[SessionForm, ...] = ()
    commit: Commit | None = None
    keying: Keying | None = None
    clocks: tuple[ClockForm, ...] = ()
    startups: tuple[StartupForm, ...] = ()
