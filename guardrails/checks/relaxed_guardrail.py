"""relaxed-guardrail: a change makes the linter say less."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.change import Relaxed
from guardrails.finding import Finding

RULE = "relaxed-guardrail"


def check(relaxed: Relaxed) -> Iterator[Finding]:
    """Not wrong by itself: whoever reviews the change should know."""
    message = f"This change {relaxed.what}: from now on less is told about worker code."
    fix = "Mend the code instead, or say in the change why it is safe here."
    yield finding(relaxed, RULE, message, fix, subject=relaxed.subject)
