"""Settings in words: what holds for a job, and who says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from guardrails.facts import NEVER, Absent, Job, Known, Setting, Unknown, Varies, in_effect
from guardrails.facts.policy import HandOver, Policy
from guardrails.inventory import Source, Value
from guardrails.place import Place, Spot

Spots = Callable[[Place], Spot]
Words = Callable[[object], str]
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))
_NOT_MODELLED = "the model of its framework does not say"


def limit_of(job: Job, spot: Spots) -> Value:
    """A job's effective time limit."""
    limit = job.timeout
    if job.is_hosted and isinstance(limit, Absent) and limit.default == NEVER:
        return Value("its host's", "unknown", None, f"the project has no {job.title or job.framework} application of its own")
    return value_of(limit, spot, seconds, "job" if job.limit_is_own else "settings")


def retries_of(job: Job, policy: Policy | None, spot: Spots) -> Value:
    """How often a failed job is tried again."""
    if policy is not None and policy.attempts is not None:
        told = value_of(policy.attempts, spot, tries, "job")
        return Value(f"{told.words}{_pace(policy)}", told.source, told.at, told.why, told.number)
    again = job.repeats
    if again is not None and again.kind in ("retried", "redelivered"):
        return Value("yes", "job" if again.at is not None else "framework", spot(again.at) if again.at is not None else None, again.words)
    if policy is None or not policy.modelled:
        return Value("unknown", "none", None, _NOT_MODELLED)
    return Value("none", "framework", None, "nothing asks for a retry", 0)


def attempts_of(said: Sequence[HandOver], spot: Spots) -> Value | None:
    """The same where the enqueues of a job say it."""
    values = [value_of(one.attempts, spot, tries, "job") for one in said if one.attempts is not None]
    return same(values, "its enqueues differ") if values else None


def queue_of(policy: Policy | None, said: Sequence[HandOver], spot: Spots) -> Value:
    """The queue in which a job waits."""
    moved = [value_of(one.queue, spot, str, "job") for one in said if one.queue is not None]
    setting = policy.queue if policy is not None else None
    if setting is None:
        return same(moved, "its enqueues differ") if moved else Value("unknown", "none", None, _NOT_MODELLED)
    own = value_of(setting, spot, str, "job")
    if policy is not None and policy.routed and isinstance(setting, Absent):
        own = Value(own.words, "unknown", None, "the settings route jobs to queues, which was not followed")
    return same([own, *moved], "its enqueues differ")


def value_of(setting: Setting, spot: Spots, words: Words, source: Source) -> Value:
    """A setting in words; `source` is who says a value that is known."""
    match setting:
        case Known(value=value, at=at):
            return Value(words(value), source, spot(at), "", _number(value))
        case Absent(default=default, source=document):
            return Value(words(default), "framework", None, document, _number(default))
        case Varies(values=values):
            return Value(" or ".join(dict.fromkeys(words(one.value) for one in values)), "varies", spot(values[0].at), "deployments differ")
        case Unknown(why=why, at=at, present=present):
            return Value("set" if present == "yes" else "unknown", "unknown", spot(at) if at is not None else None, why)


def same(values: Sequence[Value], why: str) -> Value:
    """The value that several places agree on; else all of their words."""
    words = dict.fromkeys(value.words for value in values)
    return values[0] if len(words) == 1 else Value(" or ".join(words), "varies", next((one.at for one in values if one.at), None), why)


def seconds(value: object) -> str:
    """`90 s`, `2 h`; a limit that never comes is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return "unknown" if value is None else str(value)
    if value == NEVER:
        return "none"
    unit = next(((size, name) for size, name in _UNITS if value >= 2 * size and value % size == 0), (1, "s"))
    return f"{value / unit[0]:g} {unit[1]}"


def tries(value: object) -> str:
    """`3`, or that there is no end."""
    if value == NEVER:
        return "without end"
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else "yes" if value is None else str(value)


def _pace(policy: Policy) -> str:
    """How long a failed job waits before it is tried again."""
    grows = "growing" if policy.grows is not None and in_effect(policy.grows) else ""
    own = policy.delay if not grows or isinstance(policy.delay, Known) else None  # what grows does not begin at a default
    delay = in_effect(own) if own is not None else None
    first = f"after {seconds(delay)}" if isinstance(delay, int | float) and delay else ""
    pace = ", ".join(part for part in (first, grows) if part)
    return f" ({pace})" if pace else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value != NEVER else None
