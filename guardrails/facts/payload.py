"""What a queue is handed beside plain values."""

from __future__ import annotations

import msgspec

from guardrails.facts import Fact, Logged
from guardrails.finding import Related
from guardrails.place import Place


class Bulk(msgspec.Struct, frozen=True):
    """An argument that holds the contents of a file; `what` says it in words, `is_named`: only its name and type say so."""

    text: str
    place: Place
    what: str
    is_named: bool = False
    evidence: tuple[Related, ...] = ()


class Secret(msgspec.Struct, frozen=True):
    """A secret in an argument; `taken_as` is the key or the job's parameter that says so where the value's own name does not.

    `only_carried`: its row is gone, or the job itself was handed it, so no id could stand for it here.
    """

    value: Logged
    taken_as: str = ""
    only_carried: bool = False


class Handover(Fact, frozen=True, kw_only=True):
    """The arguments of an enqueue that no queue should hold."""

    call: str
    target: str
    job: str
    secrets: tuple[Secret, ...] = ()
    bulk: tuple[Bulk, ...] = ()
