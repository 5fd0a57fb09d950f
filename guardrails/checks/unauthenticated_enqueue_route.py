"""unauthenticated-enqueue-route: a route through which anybody can fill the queue."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.trust import Route
from guardrails.finding import Confidence, Finding

RULE = "unauthenticated-enqueue-route"
FIX = "Ask who calls, as the routes beside it do; where strangers are meant to call it, limit the rate and allow it with that reason."


def check(route: Route) -> Iterator[Finding]:
    """Told with medium confidence where the routes beside it ask who calls, with low where none or few do."""
    if route.door or route.public:
        return
    beside = f", while `{route.sibling}` beside it does" if route.sibling else ""
    message = (
        f"Route `{route.name}` enqueues `{route.target}` and asks nobody who they are{beside}: "
        "a stranger can have the work done as often as he likes."
    )
    confidence: Confidence | None = None if route.sibling and not route.mostly_open else "low"
    related = (route.enqueued, *route.related)
    yield finding(route, RULE, message, FIX, subject=f"{route.name}:{route.target}", confidence=confidence, related=related)
