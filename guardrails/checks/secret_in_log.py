"""secret-in-log: what is logged is read by many, kept for long, and shipped to others."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Log, Logged, finding
from guardrails.finding import Confidence, Finding

RULE = "secret-in-log"
_MIXED = ("body", "form", "payload")  # whole objects that hold a secret only now and then


def check(log: Log) -> Iterator[Finding]:
    """One finding a log call, at its first secret."""
    secrets = sorted((value for value in log.values if value.secret), key=lambda value: value.spent)
    if not secrets:
        return
    first = secrets[0]
    trace = first.whole and log.call.rpartition(".")[2] in ("debug", "trace") and any(word in first.secret for word in _MIXED)
    confidence: Confidence | None = "low" if log.on_terminal or first.spent or trace else None
    names = ", ".join(dict.fromkeys(f"`{value.text}`" for value in secrets if value.secret == first.secret))
    message = f"`{log.call}` in {log.scope.title} writes {_what(first)} ({names}) to the log, where everybody with log access can use it."
    fix = "Log only the few harmless parts of it." if first.whole else "Log an id of it, or its last four characters through a mask."
    yield finding(log, RULE, message, fix, subject=f"{log.call}:{first.secret}", confidence=confidence,
                  related=tuple(r for value in secrets for r in value.evidence))  # fmt: skip


def _what(value: Logged) -> str:
    noun = "authorization header" if value.secret == "authorization" else value.secret
    if value.whole or noun.endswith("s"):
        return noun
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"
