"""What would become of a file, as a unified diff that is harmless for a terminal."""

from __future__ import annotations

import difflib

from guardrails.lines import Lines
from guardrails.report.ink import Ink
from guardrails.report.safe import visible

NOWHERE = "/dev/null"
_STYLES = {"+": "good", "-": "error", "@": "second"}


def unified(path: str, before: bytes | None, after: bytes | None, color: bool) -> str:
    """The difference between two contents of a file; None for a file that is not there."""
    ink = Ink(color)
    names = (NOWHERE if before is None else f"a/{path}", NOWHERE if after is None else f"b/{path}")
    found = []
    for index, line in enumerate(difflib.unified_diff(_lines(before or b""), _lines(after or b""), *names)):
        text, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
        style = "strong" if index < 2 else _STYLES.get(line[:1], "")
        shown = "".join(one if one == "\t" else visible(one) for one in text) if not text.isprintable() else text
        found.append((ink(shown, style) if style else shown) + "\n" + ("" if end else "\\ No newline at end of file\n"))
    return "".join(found)


def _lines(data: bytes) -> list[str]:
    return Lines(data).decode(data).splitlines(keepends=True)
