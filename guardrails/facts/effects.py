"""What calls do to the world outside, and what takes long."""

from __future__ import annotations

from guardrails.facts import Fact, Setting, in_effect

WAITS = frozenset(("network", "subprocess", "mail", "llm", "git"))  # kinds of waits that keep a request waiting for others


class Slow(Fact, frozen=True, kw_only=True):
    """A call that takes seconds: `does` says what it does in words. `weak`: only large input makes it slow;
    `pauses`: it does nothing but wait.
    """

    call: str
    does: str
    weak: bool = False
    pauses: bool = False


def is_long(limit: Setting, patience: float) -> bool:
    """A limit, or the lack of one, that lets a request wait for longer than anybody looks at it: more than `patience` seconds."""
    value = in_effect(limit)
    return isinstance(value, int | float) and not isinstance(value, bool) and value > patience


class Effect(Fact, frozen=True, kw_only=True):
    """A call that does something outside that doing twice makes worse; `does` says what, in words.

    `kind`: payment, mail, message, post, insert, count. `lost_answer`: it may have been done although its caller saw it fail.
    `sealed`: what it sends was made elsewhere, and may name the event.
    """

    kind: str
    call: str
    does: str
    key: Setting
    lost_answer: bool = False
    sealed: bool = False
    fix: str = ""
