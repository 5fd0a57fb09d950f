"""timing-unsafe-comparison: how long it takes tells how much of a guess was right."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.trust import Comparison
from guardrails.finding import Confidence, Finding

RULE = "timing-unsafe-comparison"


def check(comparison: Comparison) -> Iterator[Finding]:
    """Every comparison that guards a secret is judged; a name alone is told with less confidence than a digest."""
    what = "a signature that was computed" if comparison.kind == "digest" else f"the {comparison.secret} that a client sent"
    with_it = "with the one that came in" if comparison.kind == "digest" else "with the one that is kept"
    message = (
        f"{comparison.scope.title} compares {what} {with_it} (`{comparison.text}`): it stops at the first difference, "
        "so timing tells how much of a guess was right."
    )
    fix = f"Compare them with `{comparison.fix}`, which takes the same time whatever it is given."
    confidence: Confidence | None = None if comparison.kind == "digest" else "low" if comparison.opened else "medium"
    yield finding(comparison, RULE, message[0].upper() + message[1:], fix, confidence=confidence, related=comparison.related,
                  repair=comparison.repair)  # fmt: skip
