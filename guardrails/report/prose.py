"""Sentences with `code` in them, taken apart for formats that set code apart."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.report.safe import visible

_SPAN = re.compile(r"(`+)(.+?)\1(?!`)")


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """The text on one line, harmless, as (is code, words)."""
    shown, at = visible(text), 0
    for match in _SPAN.finditer(shown):
        if match.start() > at:
            yield False, shown[at : match.start()]
        yield True, match[2]
        at = match.end()
    if at < len(shown):
        yield False, shown[at:]
