"""What waits for somebody else, and what bounds a wait."""

from __future__ import annotations

import msgspec

from guardrails.frameworks.forms.work import Scalar


class WaitForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that waits, and where its limit may stand: on the call, on the call that made its receiver, in the project's settings."""

    call: str
    kind: str  # network, subprocess, mail, lock, queue, event, result, join, database, llm, git
    arguments: tuple[str, ...] = ()  # selectors of the limit on the call
    origin: tuple[str, ...] = ()  # and on the call that made the receiver
    settings: tuple[str, ...] = ()  # keys of the project's settings
    global_: tuple[str, ...] = msgspec.field(default=(), name="global")  # calls that limit every wait of this kind in the process
    host: tuple[str, ...] = ()  # settings keys without which the project is a guest whose host decides
    replaced: dict[str, str] = {}  # settings key: without this word in its value, something else does the waiting
    default: float | None = None  # seconds when nobody sets it; null: never ends
    source: str = ""  # who documents the default
    never: tuple[Scalar, ...] = (None,)  # values that mean: no limit
    inherit: tuple[Scalar, ...] = ()  # values that mean: as if it were not set
    quick: dict[str, Scalar] = {}  # with an argument of this value it does not wait
    without: tuple[str, ...] = ()  # with one of these arguments, on the call or the maker, it is no wait of its own
    streams: dict[str, Scalar] = {}  # with an argument of this value no limit is meant to be
    entered: bool = False  # only a `with` of it waits
    ended: tuple[str, ...] = ()  # methods of the receiver after which nothing is left to wait for
    overrides: tuple[str, ...] = ()  # methods through which every call of the receiver goes: whoever replaces one may limit it
    mounts: str = ""  # the receiver's method that plugs in what may limit it
    plain: tuple[str, ...] = ()  # symbols of what may be plugged in and limits nothing
    weak: bool = False  # nearly always ends by itself
    written: str = "{seconds}"  # a limit as a repair writes it
    needs: str = ""  # an import that `$` in it stands for
    command: str = ""  # selector of the program that it waits for, with its words
    brief: tuple[str, ...] = ()  # first words of commands that take a moment or end themselves; `* -V`: any program with this word alone
    output: str = ""  # the receiver's attribute by which what it waits for hands on what it says, bit by bit
    fix: str = ""


class LimitForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call that makes a limit of several parts: the first argument that is set counts; none at all is no limit."""

    call: str
    arguments: tuple[str, ...]
    inherit: tuple[Scalar, ...] = ()  # values that leave it to the next argument


class DeadlineForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What ends everything inside it after a time: a call around a wait, a `with`, a decorator of a function."""

    call: str = ""
    decorator: str = ""
    arguments: tuple[str, ...] = ()  # selectors of the time; null is none
