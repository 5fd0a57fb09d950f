"""Connections: where they are opened, and who closes them."""

from __future__ import annotations

from typing import Literal

from guardrails.facts import Fact
from guardrails.place import Place


class Opened(Fact, frozen=True, kw_only=True):
    """A connection that start-up code opens and keeps. `closed` is maybe where a clean-up runs that was not read.

    `start` is the start-up function in words, `stop` what runs when the process ends, `close` the call that closes it.
    """

    what: str
    call: str
    holder: str
    start: str
    stop: str
    close: str
    closed: Literal["yes", "no", "maybe"]


class Scattered(Fact, frozen=True, kw_only=True):
    """A broker's client that several modules make for one address; this is the first, `others` are the rest."""

    what: str
    call: str
    address: str
    others: tuple[Place, ...]
