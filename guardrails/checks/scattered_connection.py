"""scattered-connection: one address, one place that connects to it."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.lifecycle import Scattered
from guardrails.finding import Finding, Related

RULE = "scattered-connection"


def check(scattered: Scattered) -> Iterator[Finding]:
    """One finding an address, at the first module; the others are named with it."""
    count = len(scattered.others) + 1
    message = (
        f"{count} modules make {scattered.what} of their own for `{scattered.address}`: each has its own connections, and a change of its "
        "options or time limits must be made in all of them."
    )
    related = tuple(Related(place, "and here") for place in scattered.others)
    yield finding(scattered, RULE, message, "Make it in one module and import it from there.", subject=scattered.address, related=related)
