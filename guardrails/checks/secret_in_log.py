"""secret-in-log: what is logged is read by many, kept for long, and shipped to others."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Log, Logged, finding
from guardrails.finding import Confidence, Finding, Repair
from guardrails.project import Project

RULE = "secret-in-log"
_MIXED = ("body", "form", "payload")  # whole objects that hold a secret only now and then


def check(log: Log, project: Project) -> Iterator[Finding]:
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
                  related=tuple(r for value in secrets for r in value.evidence), repair=_repair(log, secrets, project))  # fmt: skip


def _repair(log: Log, secrets: list[Logged], project: Project) -> Repair | None:
    """Each secret masked by the project's own helper, else replaced by stars, where all of them stand in the call itself.

    Where stars would take more than the secret (a whole object, a text, what a program is there to print), a person should look.
    """
    places = [value.place for value in secrets]
    at = log.place
    if log.language != "python" or any(one.path != at.path or one.start < at.start or one.end > at.end for one in places):
        return None
    module, _, helper = project.redact_helper.rpartition(".")
    values = {"spans": ",".join(f"{one.start}-{one.end}" for one in places), "helper": "$" if module else helper}
    safe = not log.prints and not any(value.whole or value.evidence for value in secrets)
    return Repair("masked", at, values, safe, f"from {module} import {helper}" if module else "")


def _what(value: Logged) -> str:
    noun = "authorization header" if value.secret == "authorization" else value.secret
    if value.whole or noun.endswith("s"):
        return noun
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"
