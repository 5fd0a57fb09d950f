"""Whom code trusts: comparisons of secrets, receivers of events, routes, answers, addresses."""

from __future__ import annotations

from typing import Literal

from guardrails.facts import Fact
from guardrails.finding import Related, Repair


class Comparison(Fact, frozen=True, kw_only=True):
    """A comparison that stops at the first difference. `secret` is what it guards, in words; `fix` the comparison to use instead.

    `kind`: digest (one side is a keyed digest made here), secret (what a client sent, with what is kept). `opened`: what was sent
    was opened or verified before, which whoever guesses does not pass.
    """

    kind: Literal["digest", "secret"]
    secret: str
    text: str
    fix: str
    opened: bool = False
    related: tuple[Related, ...] = ()
    repair: Repair | None = None


class Receiver(Fact, frozen=True, kw_only=True):
    """A handler of another system's events. `why` says how that is known, `acts` what it does with them (at `act`, "" for nothing).

    `door` says what verifies the sender (`door_at`), "" for nothing; `late`: only after it acted. `perhaps` says what may verify
    the sender without being seen. `ignored` is a verifier whose answer is lost, `lost` how.
    """

    name: str
    why: str
    acts: str = ""
    door: str = ""
    late: bool = False
    perhaps: str = ""
    ignored: str = ""
    lost: Literal["", "dropped", "not awaited"] = ""
    related: tuple[Related, ...] = ()


class Route(Fact, frozen=True, kw_only=True):
    """A handler that hands work to a queue. `door` says what asks who calls, "" for nothing; `public` why strangers may.

    `sibling` is a handler beside it that asks, `sibling_door` what; `mostly_open`: most of those beside it ask nobody, either. `answer` is
    what the handler returns where that tells the caller nothing of the work ("" where it does, or where it cannot be told), `told` why
    that is well.
    """

    name: str
    target: str
    door: str = ""
    public: str = ""
    sibling: str = ""
    sibling_door: str = ""
    mostly_open: bool = False
    answer: str = ""
    told: str = ""
    enqueued: Related
    answered: Related | None = None
    related: tuple[Related, ...] = ()


class Destination(Fact, frozen=True, kw_only=True):
    """An address that another service is told to send requests to. `url` as far as it is known, `who` calls it."""

    url: str
    who: str
    call: str
    given: bool = False
    related: tuple[Related, ...] = ()


class Service(Fact, frozen=True, kw_only=True):
    """A web application of a project that does background work; `health` is a word of the project that says it tells its state."""

    call: str
    health: str = ""
