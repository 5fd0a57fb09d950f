"""What a framework says by exceptions, and who is told of failures."""

from __future__ import annotations

from typing import Literal

import msgspec

from guardrails.frameworks.forms.work import Scalar


class SignalForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An exception by which a framework is told, or tells, something: whoever catches it without raising it again unsays it."""

    exception: str  # its symbol
    kind: Literal["retry", "timeout", "cancel"]
    bases: tuple[str, ...] = ()  # symbols that catch it, too, besides Exception and BaseException
    outside: bool = False  # derived from BaseException alone: `except Exception` lets it pass
    raised_by: tuple[str, ...] = ()  # calls that raise it, as they are written: `self.retry`
    unless: dict[str, Scalar] = {}  # arguments of such a call with which it raises nothing
    arguments: tuple[str, ...] = ()  # of the declaration, one of which must be set for it to come; none: it always may
    settings: tuple[str, ...] = ()  # or settings keys


class DeadEndForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call, or a decorator, whose options decide whether failed work leaves anything to inspect."""

    call: str = ""
    decorator: str = ""
    what: str  # in words, after the call: what it does with failed work
    fix: str
    argument: tuple[str, ...] = ()  # selectors
    value: tuple[Scalar, ...] = ()  # with one of these values work is lost
    absent: bool = False  # and where the argument is not there
    origin: dict[str, Scalar] = {}  # arguments that the call which made the receiver must have: `boto3.client("sqs")`
    loose: bool = False  # the method's name is unmistakable: it counts on receivers that cannot be resolved, too
    unless: tuple[str, ...] = ()  # texts that say, anywhere in the project, that somebody keeps it
    except_for: str = ""  # a regular expression on the call's arguments under which it says nothing: the dead letters' own queue
    doubtful: bool = False  # what else tells of the failure lies outside the code more often than not
    tracked: bool = False  # an error tracker or a hook for failures makes up for it


class FailureWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Words by which a project says that failures are told of: looked up in all its files."""

    trackers: tuple[str, ...] = ()  # packages of error trackers
    captures: tuple[str, ...] = ()  # functions that tell a tracker
    hooks: tuple[str, ...] = ()  # what runs when a job has failed for good
    forgotten: bool = False  # the framework only logs a failure of a job: it neither tries it again nor keeps it
    bound_loggers: tuple[str, ...] = ()  # functions that make a logger which adds the work's id
    marks: bool = False  # the framework marks with it whatever a job logs
    log_context: tuple[str, ...] = ()  # what adds the work's id to every record
    log_bases: tuple[str, ...] = ()  # classes whose subclasses may do so
