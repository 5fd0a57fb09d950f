"""whole-row-payload: a job that carries a row works on what the row was, not on what it is."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Enqueue, finding, unsure
from guardrails.finding import Finding, Unsure

RULE = "whole-row-payload"


def check(enqueue: Enqueue) -> Iterator[Finding | Unsure]:
    """One finding an enqueue, at its first such argument; the others are named with it."""
    whole = [payload for payload in enqueue.payload if payload.kind not in ("plain", "unknown")]
    if whole:
        first = whole[0]
        names = ", ".join(f"`{payload.text}`" for payload in whole[:3])
        hurts = "it is stale when the job runs, and couples queued messages to the table"
        if first.kind in ("request", "data-frame"):
            hurts = "it is large, hard to serialise, and carries more than the job needs"
        message = f"Job `{enqueue.target}` is handed {first.what} ({names}): {hurts}."
        fix = (
            f"Pass `{first.reference}` and load it in the job."
            if "." in first.reference
            else f"Pass {first.reference}, and load the rest in the job."
        )
        related = tuple(place for payload in whole for place in payload.evidence)
        yield finding(enqueue, RULE, message, fix, subject=f"{enqueue.target}:{first.kind}", related=related, repair=enqueue.row_repair)
    elif any(payload.kind == "unknown" for payload in enqueue.payload):
        names = ", ".join(f"`{payload.text[:40]}`" for payload in enqueue.payload if payload.kind == "unknown")
        yield unsure(enqueue, RULE, f"{names}: what this hands to job `{enqueue.target}` could not be told.")
