"""What the terminal allows: colours and columns."""

from __future__ import annotations

import os
import sys

from guardrails.report import ink

WIDEST, NARROWEST = 100, 40


def color() -> bool:
    """Whether standard output takes colours."""
    return ink.wanted(os.environ, is_terminal())


def columns() -> int:
    """Cells of a line: the terminal's, but no more than are good to read; the same everywhere where there is no terminal."""
    if not is_terminal():
        return WIDEST
    try:
        here = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return WIDEST
    return max(NARROWEST, min(WIDEST, here or WIDEST))


def is_terminal() -> bool:
    """Whether standard output is one."""
    return sys.stdout is not None and sys.stdout.isatty()
