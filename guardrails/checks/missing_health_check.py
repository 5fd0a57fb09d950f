"""missing-health-check: nobody can ask whether the service is able to work."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.trust import Service
from guardrails.finding import Finding

RULE = "missing-health-check"
FIX = "Add a route such as `/health` that answers 200 when the queue can be reached, and 503 when it cannot."


def check(service: Service) -> Iterator[Finding]:
    """Any word of the project about its health is enough to be silent."""
    if not service.health:
        hurts = "a stuck process keeps getting requests"
        message = f"`{service.call}` serves a project that does background work and has no route for its health: {hurts}."
        yield finding(service, RULE, message, FIX)
