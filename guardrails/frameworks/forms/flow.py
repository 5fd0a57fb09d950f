"""What opens transactions and what waits for their commit."""

from __future__ import annotations

import msgspec


class TransactionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What opens a transaction: a call (`opens`), a framework around methods (`base`), or a setting that does so for every request."""

    opens: str = ""  # entered by `with`, or put above a function
    base: str = ""  # the framework runs the `methods` of classes derived from it in a transaction
    methods: tuple[str, ...] = ()
    setting: str = ""  # a settings key that counts only in the mapping of the name `inside`
    inside: str = ""
    frameworks: tuple[str, ...] = ()  # whose handlers the setting concerns
    exempt: tuple[str, ...] = ()  # decorators of handlers that it does not concern
    reads: dict[str, tuple[str, ...]] = {}  # by argument: words in its value that name a database from which is only read
    source: str = ""
    hook: str = ""  # what a repair hands the enqueue to; `$` is what `needs` imports
    needs: str = ""
    using: str = ""  # selector of the database on `opens`, which the hook must be told, too
    fix: str = ""


class SessionForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An object that collects writes until its commit. `receivers` are names that mean one where the access path cannot be told."""

    path: str
    receivers: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()  # its methods
    commits: tuple[str, ...] = ()
    fix: str = ""


class Commit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What knows of the transaction around it."""

    hooks: tuple[str, ...] = ()  # calls that run a function after the commit
    tasks: tuple[str, ...] = ()  # base classes of jobs whose every hand-over waits for the commit
    asks: tuple[str, ...] = ()  # last words of expressions that ask whether a transaction is open
    lifts: dict[str, str] = {}  # by call: the selector of the decorator that it makes fit for a method or a class
    shares: tuple[str, ...] = ()  # modules whose import says that a hand-over is a row of the same transaction
    instead: str = ""  # the fix, where this framework has a hand-over that is such a row


class Keying(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What makes keys, and where services look for one."""

    unstable: tuple[str, ...] = ()  # calls that give another value each time
    windows: tuple[str, ...] = ()  # last words that make of a time a window which a repeated run shares: a date, an hour
    arguments: tuple[str, ...] = ()  # names of arguments and fields that are keys wherever they stand
    headers: str = ""  # a regular expression on names of headers that are keys, or ids of a delivery
    rows: tuple[str, ...] = ()  # last words of calls that only store or look up a key: `get_or_create`


class ClockForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What starts a clock: a call, or a decorator, in this process; or a command line."""

    call: str = ""
    decorator: str = ""
    alone: tuple[str, ...] = ()  # last words of calls that make one that takes the process for itself
    inside_worker: str = ""  # a regular expression on the worker's command lines: the clock runs in each of them
    unless: str = ""  # one on such lines: runs of the clock agree with each other, or a program for development starts the worker
    line: str = ""  # a regular expression on command lines that start the clock itself: there must be one
    fix: str = ""


class StartupForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What runs when a web process starts: functions that a call takes, below a decorator, methods of a class, or beside the call."""

    call: str = ""
    functions: tuple[str, ...] = ()  # selectors
    beside: bool = False  # the function or module that makes the call is start-up code itself
    decorator: str = ""
    base: str = ""
    methods: tuple[str, ...] = ()
