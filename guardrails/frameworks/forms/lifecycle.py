"""What opens a connection, and what runs when a process starts."""

from __future__ import annotations

import msgspec


class ConnectionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that opens a connection, or makes a client that holds some."""

    call: str
    what: str  # in words: a Redis client
    closes: tuple[str, ...]  # methods that close it, the usual one first
    on_receiver: bool = False  # the receiver is what is open then: `producer.start()`
    address: tuple[str, ...] = ()  # selectors of the broker's address; none: it is no broker's client


class StartForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What runs a function when a process starts: a decorator, a call, or an attribute of a settings class."""

    decorator: str = ""
    call: str = ""
    function: tuple[str, ...] = ()  # selectors of the functions
    event: str = ""  # the selector of the event's name
    events: tuple[str, ...] = ()  # the names, or ends of them, that mean start-up
    listed: str = ""  # an attribute of a settings class
    named: str = ""  # the class's name
    stop: str = ""  # in words, what runs when the process ends
