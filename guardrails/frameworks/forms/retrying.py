"""How failed work is tried again, and where the bounds of that may stand."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from guardrails.frameworks.forms.work import Scalar, Spec


class RetryForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A way to retry. Exactly one of: `when` (a setting of a job switches it on), `call` or `decorator` (a library's retry), `policy` (a
    call that makes what the `when` of another form is set to), `method` (a method of the job's own object that asks for one retry)."""

    when: Spec | None = None
    call: str = ""
    decorator: str = ""
    policy: str = ""
    method: str = ""
    raised: bool = False  # the call makes an exception that asks for one retry
    app_wide: bool = False  # the call governs an application's jobs
    endless_when: tuple[Scalar, ...] = ()  # values of `when` that retry for ever, without a delay
    attempts: tuple[Spec, ...] = ()  # the first that says something; null as a default: endless
    whole: bool = False  # and its number counts the first run, too
    delay: Spec | None = None
    growth: Spec | None = None  # true or a number: delays grow
    capped: Spec | None = None  # a ceiling of delays that grow, where somebody set one: who retries for ever with it means to
    jitter: Spec | None = None  # what scatters the delays; its default is what the library does by itself
    steady: tuple[str, ...] = ()  # symbols of waits that do not grow
    growing: tuple[str, ...] = ()  # and of those that do
    unending: tuple[str, ...] = ()  # symbols of ends that never come
    errors: Spec | None = None  # the exceptions that it retries
    everything: tuple[str, ...] = ()  # symbols of calls, as `errors`, whose first argument is the exceptions
    spared: Spec | None = None  # what names the errors that are not retried, or chooses by itself
    bounded: str = ""  # the fix for endless retries
    paced: str = ""  # for constant delays
    paced_by: dict[str, str] = {}  # arguments that a repair adds; `?` before a name: unless it is there; `{owner}`: whose method asks
    needs: str = ""  # an import that `$` in these stands for
    chosen: str = ""  # for errors that are retried in vain


class PauseForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that sleeps."""

    call: str
    seconds: str = "0"  # selector
    bounded: str = ""  # the fix for endless retries around it
    paced: str = ""  # and for constant ones


class Ignored(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A setting that does nothing where it stands. Exactly one of: `argument` of a job's declaration, `attribute` of a class that lists
    or is a job, `enqueue`: argument of a hand-over, `setting`: a name in a settings module."""

    argument: str = ""
    attribute: str = ""
    enqueue: str = ""
    setting: str = ""
    calls: tuple[str, ...] = ()  # the hand-overs that drop it; none: all
    unless: tuple[str, ...] = ()  # other settings of the job: with one of them it works
    unless_set: tuple[str, ...] = ()  # and settings of the application
    why: str = ""
    instead: str = ""


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long what is finished is kept. `call`: where it stands on a call that makes a store of its own."""

    what: str
    spec: Spec
    call: str = ""
    store: Spec | None = None  # where the store is named: one of the project's own making keeps what it keeps on purpose
    fix: str = ""


class Decoded(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What turns a broker's bytes into objects. `spec` says where its name stands, `unsafe` are the names and symbols that run what the
    bytes say; `assumed`: by default it does, in words; `call`: a call that chooses it, or (with `takes`) does it to the argument."""

    spec: Spec | None = None
    unsafe: tuple[str, ...] = ()
    assumed: str = ""
    call: str = ""
    takes: str = ""
    safe: dict[str, tuple[str, ...]] = {}  # values of arguments with which the call is harmless
    name: str = ""
    use: str = ""  # the name that a repair puts in place of an unsafe one
    fix: str = ""


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """After how long (`hidden`) a broker hands an unacknowledged message to another worker. `late` is the setting of a job that keeps it
    unacknowledged while it runs, `delay` that of a hand-over that lets it wait so; `limit`: where the limit stands that is compared,
    for frameworks whose jobs cannot be told."""

    hidden: Spec
    late: Spec | None = None
    delay: Spec | None = None
    limit: Spec | None = None
    url: Spec | None = None
    brokers: dict[str, float] = {}  # the default, by how the broker's URL begins
    fix: str = ""


def keys(*forms: Kept | Decoded | Delivery | Ignored | RetryForm | None) -> Iterator[str]:
    """The settings keys that forms name, without what stands below them."""
    for form in forms:
        for spec in _specs(form):
            yield from (key.partition(".")[0] for key in spec.settings)
        if isinstance(form, Ignored) and form.setting:
            yield form.setting


def _specs(form: Kept | Decoded | Delivery | Ignored | RetryForm | None) -> Iterator[Spec]:
    for name in form.__struct_fields__ if form is not None else ():
        value = getattr(form, name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Spec):
                yield one
