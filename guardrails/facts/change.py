"""What a change does to jobs, to the messages that wait for them, and to the guardrails themselves."""

from __future__ import annotations

from typing import Literal

import msgspec

from guardrails.facts import Fact

Why = Literal["gone", "renamed", "needs", "drops", "renames", "field"]
Tests = Literal["none", "left alone", "changed"]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter that a message fills; `fields` are those of its schema, by whether a message must have them."""

    name: str
    required: bool
    fields: tuple[tuple[str, bool], ...] = ()


class Message(msgspec.Struct, frozen=True):
    """What a queued message says to a job: by which name it is found ("" unknown), and what it takes; `is_open`: any argument beside.

    `by_path`: any function can be sent, and is found by where it stands. `body` and `options` are the job's code and declaration
    as tokens: equal where only their form differs. `lifted` are the versions of then that the job makes ones of now of, None where that
    cannot be told; `version` is its own, 0 where messages have none.
    """

    name: str
    parameters: tuple[Parameter, ...]
    is_open: bool
    by_path: bool
    body: str
    options: str
    version: int = 0
    lifted: frozenset[int] | None = frozenset()


class ChangedJob(Fact, frozen=True, kw_only=True):
    """A job whose code, options or parameters a change edits. `tests` says what the tests that name it do."""

    job: str
    what: tuple[str, ...]
    tests: Tests


class LostMessage(Fact, frozen=True, kw_only=True):
    """Messages of before that the job of now cannot take: `what` is the name of now, or the parameter or field, `was` the name of then.

    `is_sent`: something in the project of before sends them.
    """

    job: str
    why: Why
    what: str = ""
    was: str = ""
    is_sent: bool = False


class Sprawl(Fact, frozen=True, kw_only=True):
    """The jobs of different files that one change edits."""

    jobs: tuple[str, ...]


class Relaxed(Fact, frozen=True, kw_only=True):
    """A guardrail that a change makes weaker: `what` in words, `subject` its name."""

    what: str
    subject: str
