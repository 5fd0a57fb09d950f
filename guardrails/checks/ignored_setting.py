"""ignored-setting: a setting that its framework drops without a word."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding
from guardrails.facts.retrying import IgnoredSetting
from guardrails.finding import Finding

RULE = "ignored-setting"


def check(setting: IgnoredSetting) -> Iterator[Finding]:
    """Whoever wrote it believes that it works."""
    message = f"`{setting.name}` of {setting.owner} does nothing: {setting.why}."
    yield finding(setting, RULE, message, setting.instead, subject=setting.name)
