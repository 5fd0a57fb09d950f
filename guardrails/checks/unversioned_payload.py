"""unversioned-payload: messages outlive the code that wrote them."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.sharing import OpenPayload
from guardrails.finding import Finding

RULE = "unversioned-payload"
_TAKES = {
    "mapping": "takes a mapping of any form (`{parameter}`)",
    "anything": "takes anything (`{parameter}`)",
    "keywords": "takes any keyword (`**{parameter}`)",
    "schema": "takes `{of}` (`{parameter}`), which has no version",
}


def check(payload: OpenPayload) -> Iterator[Finding]:
    """One finding a job."""
    takes = _TAKES[payload.kind].format(parameter=payload.parameter, of=payload.of)
    message = f"`{payload.job}` {takes}: a message that an older release enqueued cannot be told from a new one."
    fix = (
        "Give the schema a `version` field and check it."
        if payload.kind == "schema"
        else "Name the parameters, or pass one schema with a version."
    )
    yield finding(payload, RULE, message, fix, subject=payload.job)
