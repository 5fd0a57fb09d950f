"""What a call does to the world outside, and what takes long whoever asks."""

from __future__ import annotations

from typing import Literal

import msgspec

from guardrails.frameworks.forms.work import Scalar


class SlowForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that takes seconds however well it goes."""

    call: str
    does: str  # in words, after the name of who does it: `calls a language model`
    streams: dict[str, Scalar] = {}  # with an argument of this value its result arrives bit by bit
    seconds: tuple[str, ...] = ()  # selectors of how long it takes; without: long
    least: float = 1.0  # seconds: a pause that somebody notices
    weak: bool = False  # only large input makes it slow


class EffectForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that does something outside that doing twice makes worse."""

    call: str
    kind: Literal["payment", "mail", "message", "post"]
    does: str  # in words, after the name of who does it: `sends a mail`
    keys: tuple[str, ...] = ()  # selectors of an idempotency key
    headers: tuple[str, ...] = ()  # selectors of a mapping whose entries may be one
    body: tuple[str, ...] = ()  # selectors of what is sent: an id of the event in it is a key, too
    target: str = ""  # selector of the address
    only: dict[str, Scalar] = {}  # by argument: an effect only with this value
    ask: tuple[str, ...] = ()  # words of an address at which such a call only asks: search, token
    fix: str = ""


class GuardForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A method that records or locks, told by its name on receivers that cannot be resolved."""

    method: str
    requires: tuple[str, ...] = ()  # arguments without which it does not: `nx`
    receivers: tuple[str, ...] = ()  # words one of which the receiver's name holds
