"""localhost-destination: an address that only this machine can reach is given to somebody else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.trust import Destination
from guardrails.finding import Finding

RULE = "localhost-destination"
FIX = "Give it the public URL of the deployed application, from a setting without a local default; use a tunnel while you develop."
_LOCAL = re.compile(r"(?i)^(?:https?://)?(?:[^/@]*@)?(?:localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\]|host\.docker\.internal)(?::|/|$)")


def check(destination: Destination) -> Iterator[Finding]:
    """A default that the environment may replace is nobody's mistake."""
    if destination.given or not _LOCAL.search(destination.url):
        return
    message = (
        f"{destination.scope.title} tells {destination.who} to call `{destination.url}` (`{destination.call}`): "
        "that is the caller's own machine, so nothing ever arrives here."
    )
    yield finding(destination, RULE, message[0].upper() + message[1:], FIX, related=destination.related)
