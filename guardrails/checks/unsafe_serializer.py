"""unsafe-serializer: bytes from a broker that may run code."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.retrying import Serializer
from guardrails.finding import Finding

RULE = "unsafe-serializer"


def check(serializer: Serializer) -> Iterator[Finding]:
    """A choice is an error; a default that everybody has is told on request."""
    hurts = "whoever can write to the broker can run code in the worker"
    if serializer.assumed:
        message = f"{serializer.assumed}, and nobody chose another `{serializer.name}`: {hurts}."
        cause = f"serializer:{serializer.framework}"
        yield finding(
            serializer, RULE, message, serializer.fix, subject=serializer.framework, cause=cause, severity="warning", confidence="low"
        )
    else:
        message = f"`{serializer.name}` lets {serializer.owner} unpickle messages: {hurts}."
        yield finding(serializer, RULE, message, serializer.fix, subject=serializer.name, repair=serializer.repair)
