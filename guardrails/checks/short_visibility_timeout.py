"""short-visibility-timeout: a message that comes back while its job still runs, or still waits."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Absent, Known, finding
from guardrails.facts.retrying import Visibility
from guardrails.finding import Finding, Related
from guardrails.project import Project

RULE = "short-visibility-timeout"


def check(visibility: Visibility, project: Project) -> Iterator[Finding]:
    """A second worker starts the same work beside the first."""
    hidden, limit = visibility.hidden, visibility.limit
    if not isinstance(limit, Known) or not isinstance(hidden, Known | Absent):
        return
    until = hidden.value if isinstance(hidden, Known) else hidden.default
    default = "" if isinstance(hidden, Known) else ", its default"
    message = (
        f"{visibility.job} {visibility.reason} for {limit.value:g} s, but after {until:g} s{default} the broker hands its message to"
        " another worker: the work is done twice."
    )
    places = [(limit.at, "the limit" if visibility.reason == "may run" else "the delay")]
    places += [(hidden.at, "the visibility timeout")] if isinstance(hidden, Known) else []
    related = tuple(Related(at, words) for at, words in places if at != visibility.place)
    yield finding(visibility, RULE, message, visibility.fix, subject=visibility.job, related=related)
