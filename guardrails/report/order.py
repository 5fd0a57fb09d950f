"""In which order findings are told: the gravest and surest first, those of one cause together."""

from __future__ import annotations

from collections.abc import Iterable

from guardrails.finding import CONFIDENCES, SEVERITIES
from guardrails.result import Found

Story = tuple[Found, ...]  # findings of one cause, the best first


def rank(found: Found) -> tuple[int, int]:
    """Small is grave and sure."""
    return SEVERITIES.index(found.severity), CONFIDENCES.index(found.confidence)


def stories(findings: Iterable[Found]) -> list[Story]:
    """Findings by cause, in the order of their first ones; a finding without a cause is a story of its own."""
    told: dict[tuple[object, ...], list[Found]] = {}
    for index, found in enumerate(findings):
        told.setdefault((found.rule, found.cause) if found.cause else (index,), []).append(found)
    return [tuple(sorted(story, key=rank)) for story in told.values()]


def gravest(findings: Iterable[Found]) -> list[Story]:
    """Findings by cause: the gravest and surest first, then those with the most places."""
    return sorted(stories(findings), key=lambda story: (rank(story[0]), -len(story)))


def by_rule(findings: Iterable[Found]) -> list[tuple[str, list[Found]]]:
    """Findings by rule: the rule with the gravest first, then the one with the most."""
    rules: dict[str, list[Found]] = {}
    for found in findings:
        rules.setdefault(found.rule, []).append(found)
    return sorted(rules.items(), key=lambda item: (min(map(rank, item[1])), -len(item[1]), item[0]))
