"""What is in an argument: the contents of a file, the fields of an object, a secret that shows itself."""

from __future__ import annotations

import msgspec

from guardrails.frameworks.forms.work import Spec


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What gives the whole contents of a file or an answer, and what passes them on as they are."""

    gives: dict[str, str] = {}  # symbol, or the end of one where it begins with a dot, to what it gives in words
    texts: tuple[str, ...] = ()  # how the paths of those begin that mostly give short texts
    encodes: tuple[str, ...] = ()  # calls that give their first argument in another form
    readers: tuple[str, ...] = ()  # methods without an argument that read all of a receiver whose name says that it is a file


class Secrecy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a framework hides a secret, shows it, and writes the fields of an object."""

    masked: tuple[str, ...] = ()  # types that mask themselves when they are written
    shown: tuple[str, ...] = ()  # methods that give what such a type hides; a whole symbol where the method's name is a usual one
    fields: tuple[str, ...] = ()  # methods and attributes that give all fields of their object
    fields_of: tuple[str, ...] = ()  # functions that give all fields of their first argument
    requests: tuple[str, ...] = ()  # the usual names of a request
    sent: tuple[str, ...] = ()  # how the paths of requests begin that are sent, not received
    bodies: dict[str, str] = {}  # attributes and methods of a request that hold all of its body or headers, in words
    handles: tuple[str, ...] = ()  # calls and field types whose value only names something: uuid4, UUIDField
    records: tuple[str, ...] = ()  # bases of classes that are plain records: TypedDict
    commands: tuple[str, ...] = ()  # decorators and bases of the commands of a program, which print for the person who starts it
    asks: tuple[str, ...] = ()  # calls that ask that person, or read what was typed behind the program's name
    fresh: tuple[str, ...] = ()  # calls that give random values, of which keys are made


class Queues(Spec, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which queue a job waits in."""

    routed: tuple[str, ...] = ()  # words of settings that route jobs to queues: where one stands, the default queue is not judged
    declared: tuple[str, ...] = ()  # selectors on the declaration that mean something else on an enqueue
    judged: bool = True  # its jobs are compared with each other; else a survey alone asks for it
