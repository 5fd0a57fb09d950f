"""Handlers that manage subscriptions for their owner, told from those that receive events."""

from __future__ import annotations

from guardrails.project.secrets import words_of

_DEEDS = frozenset(
    "create add edit delete remove list register unregister test ping rotate toggle enable disable regenerate resend retry replay "
    "redeliver preview".split()
)


def manages(name: str) -> bool:
    """A handler's own name says what it does to a subscription: `test_webhook`, `delete_hook`."""
    words = words_of(name.rpartition(".")[2])
    return len(words) > 1 and words[0] in _DEEDS
