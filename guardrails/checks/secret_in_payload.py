"""secret-in-payload: what a queue carries is kept by the broker, shown on dashboards and written with every failed job."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.payload import Handover
from guardrails.finding import Confidence, Finding

RULE = "secret-in-payload"


def check(handover: Handover) -> Iterator[Finding]:
    """One finding an enqueue, at its first secret; the others are named with it."""
    if not handover.secrets:
        return
    first = min(handover.secrets, key=lambda one: one.only_carried)
    noun = first.value.secret
    names = ", ".join(dict.fromkeys(f"`{one.value.text}`" for one in handover.secrets[:3]))
    what = noun if first.value.whole or noun.endswith("s") else f"an {noun}" if noun[0] in "aeio" else f"a {noun}"
    as_what = f", taken as `{first.taken_as}`" if first.taken_as else ""
    message = (
        f"Job `{handover.target}` is handed {what} ({names}{as_what}): the broker keeps it, and whoever sees the queue, "
        "its dashboard or a failed job's record can use it."
    )
    fix = "Pass only the few harmless fields of it." if first.value.whole else "Pass an id, and let the job fetch or make the secret."
    related = tuple(place for one in handover.secrets for place in one.value.evidence)
    confidence: Confidence | None = "low" if first.only_carried else "medium" if first.taken_as else None
    yield finding(handover, RULE, message, fix, subject=f"{handover.target}:{noun}", related=related, confidence=confidence)
