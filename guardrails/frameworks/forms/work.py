"""How work is declared, handed over, spawned and scheduled, and where its settings may stand."""

from __future__ import annotations

import msgspec

Scalar = str | int | float | bool | None


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a setting may stand, nearest first, and what holds when nobody sets it. Where it stands beside the job (`base`, `prefixes`
    ..) is as for the framework's other settings, unless it says otherwise."""

    default: Scalar = None
    source: str = ""  # who documents the default
    arguments: tuple[str, ...] = ()  # selectors on the declaration
    enqueue: tuple[str, ...] = ()  # selectors on the enqueue
    attributes: tuple[str, ...] = ()  # class attributes of a class-based job
    base: tuple[str, ...] = ()  # selectors on the declaration of a class whose attributes count
    app_base: tuple[str, ...] = ()  # and on the application's constructor
    app: tuple[str, ...] = ()  # selectors on the application's or queue's constructor
    settings: tuple[str, ...] = ()  # keys of the application's settings, as they are spelled; with a prefix: in capitals
    namespaces: dict[str, str] = {}  # calls that name a prefix of settings keys, with the selector of it
    prefixes: tuple[str, ...] = ()  # of settings keys in a settings module: CELERY_ ...
    mappings: tuple[str, ...] = ()  # ends of calls that take settings from a mapping: `.conf.update`
    flags: tuple[str, ...] = ()  # of the worker's command line
    duration: bool = False  # its value is a time: `unit` turns it into seconds
    unit: float = 1.0  # seconds in one of the setting's units
    never: tuple[Scalar, ...] = ()  # values that mean: without end
    inherit: tuple[Scalar, ...] = ()  # values that mean: as if it were not set


class Timeout(Spec, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a job's time limit may stand, and what limits beside it."""

    default: float | None  # seconds; null: never ends
    source: str  # who documents the default
    fix: str
    duration: bool = True
    endless_attributes: bool = False  # None as a class attribute means: no limit
    at_start: bool = False  # whoever starts a job limits it: one that nobody in the project starts is not judged
    inside: tuple[str, ...] = ()  # calls in the body that bound it: `asyncio.timeout`
    void_under: str = ""  # a regular expression on worker command lines under which limits do nothing
    void_words: str = ""  # and that in words
    option: str = ""  # the argument of a declaration that a repair adds
    installed: dict[str, str] = {}  # symbols of objects that limit every job wherever they are made, with the selector of the limit


class Repeats(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a job may run again."""

    always: str = ""  # words: the framework redelivers or retries by default
    on_failure: bool = False  # and not only what its worker left behind: a failed job, too
    arguments: tuple[str, ...] = ()  # of the declaration: set to anything but 0, false or null
    attributes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    enqueue: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()  # calls in the body: `self.retry`


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an enqueue carries an idempotency key. `how` is empty where there is none; then `instead` says what to do.

    `arguments` beside `instead` key some enqueues of a framework that has no key for the others: a FIFO queue of SQS.
    """

    how: str = ""
    window: str = ""
    instead: str = ""
    arguments: tuple[str, ...] = ()  # selectors on the enqueue: one of them is the key
    requires: dict[str, Scalar] = {}  # by argument: without it the key does nothing
    since: dict[str, str] = {}  # by package, the version from which there is one; before it there is none
    declared: tuple[str, ...] = ()  # selectors on the job's declaration that key every enqueue
    written: dict[str, str] = {}  # arguments that a repair adds to an enqueue: `{key}` is a text made of the job's name and an id
    derived: bool = False  # inside a job of the same framework the key is derived from that job's


class JobForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a job is declared: one of decorator, base, call, listed, or parameters."""

    decorator: str = ""
    base: str = ""  # a class derived from it is a job
    method: str = ""  # its body
    call: str = ""  # a call that makes a job of the function that `function` selects
    function: str = "0"
    listed: str = ""  # an attribute of a settings class, or a key of a module's settings mapping, that lists functions
    named: str = ""  # the settings class's usual name: then nothing need stand beside
    beside: tuple[str, ...] = ()  # attributes one of which the settings class must have, too
    name: str = ""  # selector of the job's name
    of_class: bool = False  # the class around the function gives the name
    parameters: tuple[str, ...] = ()  # names of all parameters of a module's function that the platform calls
    mentions: tuple[str, ...] = ()  # texts one of which the body of such a function holds
    within: str = ""  # who calls it and bounds it, in words: its limit is not judged by itself
    repeats: Repeats | None = None  # where it differs from the model's
    once: str = ""  # selector of a schedule: without one the process that declares the job runs it once
    after_commit: bool = False  # every hand-over of it waits for the commit of the transaction around it
    version: str = ""  # selector of the payload's version: the message is one object, whose version the framework keeps
    upcast: str = ""  # and of what makes of an older version the next, by the older one


class EnqueueForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How work is handed over: a method of a job (`on_job`; `()` is calling the job itself), or a symbol (`call`)."""

    call: str = ""
    on_job: str = ""  # `delay`, `configure().defer`
    job: str = ""  # selector of the job (function, dotted name or job name)
    payload: tuple[str, ...] = ("rest",)  # selectors
    options: tuple[str, ...] = ()  # argument names that are options, not payload
    loose: bool = False  # the method's name is unmistakable: it counts on receivers that cannot be resolved, too
    signature: bool = False  # carries the payload of an enqueue that is made elsewhere
    key: Key | None = None  # where it differs from the model's
    after_commit: bool = False  # it waits for the commit of the transaction around it
    later: tuple[str, ...] = ()  # selectors of a delay or a time: where one is given, no worker takes it at once
    receives: str = ""  # selector of what verifies the sender: the call registers a webhook, whose events it hands over
    unpacks: bool = False  # the payload is one object: what its class is called with travels


class SpawnForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What starts work beside the current flow. `runs` selects what it runs (on the call or, for `Thread().start`, its origin)."""

    call: str
    kind: str
    runs: str = "0"
    request_bound: bool = False
    watched: bool = False  # whoever runs it keeps it, and logs its failure
    scoped: bool = False  # leaving a `with` of the object waits for it
    kept: str = ""  # in words, why its loss does no harm: the call asks for a limit and a reason


class ScheduleForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A clock that starts a job."""

    call: str = ""
    decorator: str = ""
    on_job: str = ""  # a method of a job: `nightly.serve(cron=..)`
    setting: str = ""  # a settings key that holds a mapping of schedules; `job` and `when` are then keys of its entries
    apart: tuple[str, ...] = ()  # selectors: where one is set, a late run is dropped
    single: dict[str, Scalar] = {}  # by selector, its default: runs overlap only where it is set to another value
    defaults: str = ""  # selector, on the call that made the receiver, of a mapping that gives `single` where the call does not
    clock: str = ""  # how `when` reads cron fields that it does not give: `every` (any value) or `first` (below the finest that is given)
    own_clock: bool = False  # the cron fields or the interval are arguments of the call itself
    job: str = "0"
    when: str = ""
    needs: str = ""  # selector without which it is no schedule: a label of a task
