"""A framework model: what YAML can say about a framework. The JSON schema of these structures is published.

Symbols are access paths from an import: `celery.Celery().task` is the attribute `task` of what calling `celery.Celery` gives.
`{verb}` in a symbol stands for any of the model's `verbs`. Selectors name an argument of a call: `timeout` (by name), `0` (by
position), `2.jobId` (a key of a mapping argument), `*` (all), `rest` (all after the job). A selector is tried on the call itself, then on
the calls in the chain before it (`task.configure(lock=..).defer(..)`).
"""

from __future__ import annotations

import msgspec

Scalar = str | int | float | bool | None


class Timeout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a job's time limit may stand, nearest first, and what holds when nobody sets it."""

    default: float | None  # seconds; null: never ends
    source: str  # who documents the default
    fix: str
    arguments: tuple[str, ...] = ()  # selectors on the declaration
    enqueue: tuple[str, ...] = ()  # selectors on the enqueue
    attributes: tuple[str, ...] = ()  # class attributes of a class-based job
    endless_attributes: bool = False  # None as a class attribute means: no limit
    base: tuple[str, ...] = ()  # selectors on the declaration of a class whose attributes count
    app_base: tuple[str, ...] = ()  # and on the application's constructor
    app: tuple[str, ...] = ()  # selectors on the application's or queue's constructor
    settings: tuple[str, ...] = ()  # keys of the application's settings, as they are spelled; with a prefix: in capitals
    namespaces: dict[str, str] = {}  # calls that name a prefix of settings keys, with the selector of it
    prefixes: tuple[str, ...] = ()  # of settings keys in a settings module: CELERY_ ...
    flags: tuple[str, ...] = ()  # of the worker's command line
    unit: float = 1.0  # seconds in one of the setting's units
    never: tuple[Scalar, ...] = ()  # values that mean: no limit
    inherit: tuple[Scalar, ...] = ()  # values that mean: as if it were not set
    inside: tuple[str, ...] = ()  # calls in the body that bound it: `asyncio.timeout`
    void_under: str = ""  # a regular expression on worker command lines under which limits do nothing
    void_words: str = ""  # and that in words


class Repeats(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When a job may run again."""

    always: str = ""  # words: the framework redelivers or retries by default
    arguments: tuple[str, ...] = ()  # of the declaration: set to anything but 0, false or null
    attributes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    enqueue: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()  # calls in the body: `self.retry`


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an enqueue carries an idempotency key. `how` is empty where there is none; then `instead` says what to do."""

    how: str = ""
    window: str = ""
    instead: str = ""
    arguments: tuple[str, ...] = ()  # selectors on the enqueue: one of them is the key
    requires: dict[str, Scalar] = {}  # by argument: without it the key does nothing
    declared: tuple[str, ...] = ()  # selectors on the job's declaration that key every enqueue


class JobForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a job is declared: one of decorator, base, call, or listed."""

    decorator: str = ""
    base: str = ""  # a class derived from it is a job
    method: str = ""  # its body
    call: str = ""  # a call that makes a job of the function that `function` selects
    function: str = "0"
    listed: str = ""  # an attribute of a settings class that lists functions
    named: str = ""  # the settings class's usual name: then nothing need stand beside
    beside: tuple[str, ...] = ()  # attributes one of which the settings class must have, too
    name: str = ""  # selector of the job's name


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


class HandlerForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What answers HTTP requests."""

    decorator: str = ""
    base: str = ""  # classes derived from it; `methods` maps method names to HTTP methods
    call: str = ""
    function: str = "0"  # selector; `callables`: every function among the arguments
    exported: bool = False  # exported functions named by the HTTP method, in files that match `file`
    file: str = ""  # a regular expression on the path
    parameter: tuple[str, ...] = ()  # annotations that only handlers have
    route: str = ""  # selector of the path
    verbs: str = ""  # selector of the HTTP methods; else the last word of the symbol
    methods: dict[str, str] = {}
    default: tuple[str, ...] = ()  # HTTP methods when nobody says


class SpawnForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What starts work beside the current flow. `runs` selects what it runs (on the call or, for `Thread().start`, its origin)."""

    call: str
    kind: str
    runs: str = "0"
    request_bound: bool = False
    scoped: bool = False  # leaving a `with` of the object waits for it


class ScheduleForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A clock that starts a job."""

    call: str = ""
    decorator: str = ""
    setting: str = ""  # a settings key that holds a mapping of schedules; `job` and `when` are then keys of its entries
    job: str = "0"
    when: str = ""


class LogForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What writes to logs. `receivers` are names that mean a logger where the access path cannot be told."""

    call: str
    receivers: tuple[str, ...] = ()
    prints: bool = False  # to a terminal, not to a log


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is a database row: instances of classes derived from `bases`."""

    bases: tuple[str, ...] = ()
    key: str = "id"  # the attribute that is a row's primary key
    only_with: dict[str, Scalar] = {}  # arguments of the class without which it is no row: table=True
    managers: tuple[str, ...] = ()  # attributes of the class that query
    one: tuple[str, ...] = ()  # query methods that give a row
    many: tuple[str, ...] = ()  # query methods that give rows
    dicts: tuple[str, ...] = ()  # query methods that give rows as dicts
    calls_one: tuple[str, ...] = ()  # functions whose first argument is a model class: get_object_or_404, session.get
    calls_many: tuple[str, ...] = ()
    as_dict: tuple[str, ...] = ()  # functions that turn a row into a dict
    serializers: tuple[str, ...] = ()  # classes whose `.data` is the row
    requests: tuple[str, ...] = ()  # symbols that are the request object
    frames: tuple[str, ...] = ()  # symbols that are data frames
    current: tuple[str, ...] = ()  # expressions that are a row wherever a handler stands: request.user
    signals: tuple[str, ...] = ()  # decorators whose function gets a row as `instance`


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that gives its receiver an attribute: `app.decorate("queues", {..})`."""

    call: str
    name: str = "0"
    value: str = "1"


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
    worker: str = ""  # a regular expression on command lines that start its workers
    jobs: tuple[JobForm, ...] = ()
    timeout: Timeout | None = None
    repeats: Repeats | None = None
    key: Key | None = None
    enqueues: tuple[EnqueueForm, ...] = ()
    handlers: tuple[HandlerForm, ...] = ()
    spawns: tuple[SpawnForm, ...] = ()
    schedules: tuple[ScheduleForm, ...] = ()
    logs: tuple[LogForm, ...] = ()
    rows: Rows | None = None
    records_once: tuple[str, ...] = ()  # calls that record an id once: get_or_create, cache.add, set(nx=True)
    locks: tuple[str, ...] = ()
