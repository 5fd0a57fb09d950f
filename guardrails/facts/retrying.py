"""How failed work is tried again."""

from __future__ import annotations

from typing import Literal

import msgspec

from guardrails.facts import Fact, Setting
from guardrails.finding import Repair
from guardrails.place import Place

RetryKind = Literal["automatic", "asked", "library", "loop", "restart"]


class Errors(msgspec.Struct, frozen=True):
    """The errors that are retried, as written, with those of them that no retry can mend; `all`: every error is. `waits`: they only say
    that something is not there or not free yet. `read`: those that no retry can mend are what reading a half-loaded answer raises."""

    text: str
    at: Place
    all: bool = False
    terminal: tuple[str, ...] = ()
    waits: bool = False
    read: bool = False


class Retry(Fact, frozen=True, kw_only=True):
    """A retry. `automatic`: the framework does it for the jobs named in `jobs`; `asked`: one of these jobs asks for it where it
    stands; `library`: a call or decorator; `loop`, `restart`: a hand-written one.

    `attempts` is a number or NEVER, effective; `grows` whether the delays do, `delay` the first in seconds. `errors` is None where
    they were not told. `reconnects`: what is tried again is a connection or a run that should last. `scattered`: the delays are
    drawn at random; `evenly`: growth was switched off and a delay chosen; `capped`: a ceiling was set.
    `steady`: the job is given no one thing to work on, and finds its work itself.
    """

    kind: RetryKind
    how: str
    jobs: tuple[str, ...]
    attempts: Setting
    grows: Setting
    delay: Setting
    errors: Errors | None = None
    spares: bool = False
    reconnects: bool = False
    scattered: bool = False
    evenly: bool = False
    capped: bool = False
    steady: bool = False
    until: str = ""
    bounded: str = ""
    paced: str = ""
    chosen: str = ""
    repair: Repair | None = None  # makes the delays grow

    @property
    def workers(self) -> str:
        """The jobs in words: the first, and how many share its policy; "" for none."""
        if not self.jobs:
            return ""
        more = len(self.jobs) - 1
        others = f" (and {more} more job{'s' if more > 1 else ''} with the same policy)" if more else ""
        return f"`{self.jobs[0]}`{others}"


class IgnoredSetting(Fact, frozen=True, kw_only=True):
    """A setting that its framework drops. `owner` is whose it is, in words."""

    name: str
    owner: str
    why: str
    instead: str


class Retention(Fact, frozen=True, kw_only=True):
    """How long what is finished is kept, in seconds or NEVER."""

    what: str
    owner: str
    kept: Setting
    fix: str


class Serializer(Fact, frozen=True, kw_only=True):
    """What turns a broker's bytes into objects by running what they say. `assumed`: by default, nobody chose it."""

    name: str
    owner: str
    assumed: str
    fix: str
    repair: Repair | None = None


class Visibility(Fact, frozen=True, kw_only=True):
    """A job whose message is acknowledged late: after `hidden` seconds the broker hands it to another worker, `limit` is its time limit."""

    job: str
    hidden: Setting
    limit: Setting
    reason: str
    fix: str
