"""Jobs beside each other in a queue, and what their payload says of itself."""

from __future__ import annotations

from typing import Literal

from guardrails.facts import Fact
from guardrails.finding import Related


class SharedQueue(Fact, frozen=True, kw_only=True):
    """A job that may hold its queue far longer than another in it: limits in seconds, or numbers of retries."""

    job: str
    queue: str
    kind: Literal["limit", "retries"]
    more: float
    other: str
    less: float
    related: tuple[Related, ...] = ()


class OpenPayload(Fact, frozen=True, kw_only=True):
    """A job whose payload has no fixed form: it takes a mapping, anything, any keyword, or a schema without a version."""

    job: str
    kind: Literal["mapping", "anything", "keywords", "schema"]
    parameter: str
    of: str = ""


class PersonalLog(Fact, frozen=True, kw_only=True):
    """A log call that writes what tells a person: `values` as written, `noun` what the first is."""

    call: str
    noun: str
    values: tuple[str, ...]
