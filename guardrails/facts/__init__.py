"""What worker code says about itself, in no framework's words. Facts are immutable; checks read nothing else but the project."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import msgspec

from guardrails.finding import Confidence, Finding, Related, Repair, Severity, Unsure
from guardrails.place import Place

NEVER = math.inf  # a limit that never comes, in seconds


class Known(msgspec.Struct, frozen=True, tag=True):
    """A setting with its value (normalised by the model: seconds, `NEVER`, text ...) and where it stands."""

    value: str | int | float | bool | None
    at: Place


class Absent(msgspec.Struct, frozen=True, tag=True):
    """Nobody set it: the framework's default holds. `source` says who documents it, `looked_in` where a setting was looked for."""

    default: str | int | float | bool | None
    source: str = ""
    looked_in: tuple[str, ...] = ()


class Unknown(msgspec.Struct, frozen=True, tag=True):
    """It cannot be told. present yes: it is set, to a value that was not resolved; maybe: it may be set."""

    why: str
    at: Place | None = None
    present: Literal["yes", "maybe"] = "maybe"


class Varies(msgspec.Struct, frozen=True, tag=True):
    """It differs between deployment profiles that are neither test nor development."""

    values: tuple[Known, ...]


Setting: TypeAlias = Known | Absent | Unknown | Varies


def in_effect(setting: Setting) -> str | int | float | bool | None:
    """The value that holds: what was set, else the default; None where it cannot be told or deployments differ."""
    return setting.value if isinstance(setting, Known) else setting.default if isinstance(setting, Absent) else None


def never_ends(limit: Setting) -> bool:
    """Whether a limit, or a number of attempts, surely never comes."""
    return in_effect(limit) == NEVER


class Scope(msgspec.Struct, frozen=True, order=True):
    """The function (by index into its outline) in which a fact stands; `name` is its qualified name."""

    path: str
    function: int
    name: str

    @property
    def title(self) -> str:
        """The name for a message: closures and blocks are told by the function around them."""
        words = [word for word in self.name.split(".") if not word.startswith("<")]
        return f"`{'.'.join(words)}`" if words else "a function" if self.function else "the module"


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What all facts share: where it stands, in which scope, and which framework's model recognised it (`title`: its name in words)."""

    place: Place
    scope: Scope
    framework: str
    language: str
    title: str = ""


def finding(
    fact: Fact, rule: str, message: str, fix: str, *, subject: str = "", cause: str = "", severity: Severity | None = None,
    confidence: Confidence | None = None, related: tuple[Related, ...] = (), repair: Repair | None = None,
) -> Finding:  # fmt: skip
    """A finding anchored at a fact."""
    return Finding(rule, fact.place, message, fix, fact.scope.name, subject, cause, severity, confidence, related, repair, fact.title)


def in_seconds(repair: Repair | None, seconds: float, safe: bool) -> Repair | None:
    """A repair with a time filled in: where its values say `{seconds}` or `{milliseconds}`."""
    if repair is None:
        return None
    numbers = {"{seconds}": f"{seconds:g}", "{milliseconds}": f"{seconds * 1000:_.0f}"}
    values = dict(repair.values)
    for name, code in values.items():
        for word, number in numbers.items():
            code = code.replace(word, number)
        values[name] = code
    return msgspec.structs.replace(repair, values=values, safe=safe)


def unsure(fact: Fact, rule: str, message: str) -> Unsure:
    """What a rule could not tell about a fact."""
    return Unsure(rule, fact.place, message)


class Repeat(msgspec.Struct, frozen=True):
    """Why work repeats: `retried`, `redelivered` (by the framework's default), `late-ack`, `webhook`; in words, and where it is said."""

    kind: Literal["retried", "redelivered", "late-ack", "webhook"]
    words: str
    at: Place | None = None


class Guard(msgspec.Struct, frozen=True):
    """What makes a repeated run harmless: a lock, `get_or_create`, a status check that returns early, an event id recorded first."""

    words: str
    at: Place


class Job(Fact, frozen=True, kw_only=True):
    """A unit of background work. `place` is its name at the definition, `scope` the job's own function.

    `timeout` in seconds or NEVER, effective. `limit_fix` says how this framework limits a job; `is_hosted`: the project has no
    application, so that of the host that installs it decides; `is_trivial`: it calls nothing and loops over nothing, so it cannot
    hang; `is_once`: the process that declares it runs it once, by no schedule and from no queue. `repeats` is
    None where the framework runs it at most once.
    """

    name: str
    symbol: str
    timeout: Setting
    limit_fix: str = ""
    limit_is_own: bool = False
    is_hosted: bool = False
    is_trivial: bool = False
    is_once: bool = False
    limit_related: tuple[Related, ...] = ()
    cause: str = ""
    repeats: Repeat | None = None
    repair: Repair | None = None  # gives it a limit: `{seconds}` stands for the number


class KeySupport(msgspec.Struct, frozen=True):
    """How a framework lets an enqueue carry an idempotency key; `how` is empty where it has none."""

    how: str
    window: str = ""
    instead: str = ""


PayloadKind = Literal["row", "rows", "row-as-dict", "serialized-row", "request", "data-frame", "plain", "unknown"]


class Payload(msgspec.Struct, frozen=True):
    """One argument of an enqueue. `evidence` shows where the kind was seen; `reference` is what to pass instead (`order.pk`)."""

    text: str
    place: Place
    kind: PayloadKind
    what: str = ""
    reference: str = ""
    evidence: tuple[Related, ...] = ()
    load: str = ""  # how a row of the model is read by `{key}`, as code


class Enqueue(Fact, frozen=True, kw_only=True):
    """Work handed to a queue. `target` names the job (or queue) in words, `job` its symbol where it was resolved.

    `misplaced_key` is a key that was put into the data, `dropped_key` one that the wrapper around it got and does not pass on.
    `same_key` is the one key that every hand-over of the job has, whatever it is about, as it is written.
    `carries_only`: a signature that only carries the payload of an enqueue made elsewhere. `to_listeners`: each of those that are
    registered gets it. `receives` is the address of the webhook that it registers, whose events are
    handed over; "" for none.
    """

    call: str
    target: str
    job: str
    key: Setting
    support: KeySupport
    payload: tuple[Payload, ...] = ()
    misplaced_key: str = ""
    dropped_key: str = ""
    same_key: str = ""
    carries_only: bool = False
    key_repair: Repair | None = None
    row_repair: Repair | None = None
    to_listeners: bool = False
    receives: str = ""


class Spawn(Fact, frozen=True, kw_only=True):
    """Work started beside the current flow. `kind`: task, thread, process, pool, timer, after-response, promise.

    `kept` says in words who waits for it or ties it to the request ("" for nobody); `light` why its loss is harmless.
    `request_bound` spawns exist only while a request is answered, wherever they are written. `lasting`: a loop for the life of the
    process, which is no work of one request; `watched`: its failure is told to a callback; `careful`: what it runs handles its own;
    `supervised`: it is a loop that tells what goes wrong in a round and goes on; `streamed`: the function around it lives as long as a
    stream or a websocket.
    """

    kind: str
    call: str
    runs: str
    kept: str = ""
    light: str = ""
    request_bound: bool = False
    lasting: bool = False
    watched: bool = False
    careful: bool = False
    supervised: bool = False
    streamed: bool = False


class Handler(Fact, frozen=True, kw_only=True):
    """A function that answers HTTP requests. `unsafe`: its method may change state (POST, PUT, PATCH, DELETE), None unknown."""

    name: str
    route: str = ""
    methods: tuple[str, ...] = ()
    unsafe: bool | None = None
    webhook: str = ""
    streams: bool = False


class Schedule(Fact, frozen=True, kw_only=True):
    """A clock that starts a job; `job` is its symbol or name, `when` the expression in words."""

    job: str
    when: str


class Logged(msgspec.Struct, frozen=True):
    """One value that a log call writes. `secret` is the secret noun it ends in or the whole object it is ("" for harmless).

    `spent`: it was refused right there, and opens nothing any more.
    """

    text: str
    place: Place
    secret: str
    whole: bool = False
    evidence: tuple[Related, ...] = ()
    spent: bool = False


class Log(Fact, frozen=True, kw_only=True):
    """A log, print or span call with the values it writes. `on_terminal`: a print in a script, which a person reads and nobody keeps.

    `prints`: what it writes may be what the program is for.
    """

    call: str
    values: tuple[Logged, ...]
    on_terminal: bool = False
    prints: bool = False
