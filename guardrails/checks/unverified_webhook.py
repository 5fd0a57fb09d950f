"""unverified-webhook: whoever knows the address can have work done."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.trust import Receiver
from guardrails.finding import Finding, Unsure

RULE = "unverified-webhook"
FIX = "Check the sender's signature or shared secret over the raw body first, and answer 401 or 403 when it is wrong."


def check(receiver: Receiver) -> Iterator[Finding | Unsure]:
    """Speaks where a receiver does something, and nothing verified the sender before."""
    who = f"Webhook `{receiver.name}`"
    if receiver.lost:
        how = (
            "is a coroutine that nobody awaits, which is always true"
            if receiver.lost == "not awaited"
            else "says no without anybody looking"
        )
        message = f"{who} calls `{receiver.ignored}`, but it {how}: events of strangers get through."
        fix = "Await it, and refuse the event when it says no." if receiver.lost == "not awaited" else "Refuse the event when it says no."
        yield finding(receiver, RULE, message, fix, subject=receiver.name, confidence="high", related=receiver.related)
    elif receiver.acts and receiver.late:
        order = f"{receiver.acts}, and only then {receiver.door}"
        message = f"{who} acts before it verifies the sender ({order}): a stranger's event does its work all the same."
        yield finding(receiver, RULE, message, FIX, subject=receiver.name, related=receiver.related)
    elif receiver.acts and not receiver.door and receiver.perhaps:
        yield unsure(receiver, RULE, f"{who} may be verified by {receiver.perhaps}, which could not be followed.")
    elif receiver.acts and not receiver.door:
        hurts = "whoever knows the address can have that done"
        message = f"{who} acts on what it is sent ({receiver.acts}) and nothing verifies the sender: {hurts}."
        yield finding(receiver, RULE, message, FIX, subject=receiver.name, related=receiver.related)
