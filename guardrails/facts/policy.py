"""What holds for a job beside its time limit, and in which queue a hand-over puts it: made for a survey only."""

from __future__ import annotations

from guardrails.facts import Fact, Setting


class Policy(Fact, frozen=True, kw_only=True):
    """A job's settings; `place` is the name of its function or class. A setting is None where its framework's model does not say.

    `attempts` is None where no policy was seen; `retry` then says whether its model knows any. `routed`: settings may route it elsewhere.
    """

    symbol: str
    queue: Setting | None = None
    routed: bool = False
    attempts: Setting | None = None
    delay: Setting | None = None
    grows: Setting | None = None
    modelled: bool = False


class HandOver(Fact, frozen=True, kw_only=True):
    """Where an enqueue says which queue it puts a job into, and how it is tried again. `place` is the enqueue's.

    `passes`: it is a call of a wrapper, whose own enqueue says what is started.
    """

    job: str
    passes: bool = False
    queue: Setting | None = None
    attempts: Setting | None = None
