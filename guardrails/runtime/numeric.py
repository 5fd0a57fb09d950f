"""What counts as a number in a declaration: Python's booleans are whole numbers, and no limit."""

from typing import TypeGuard


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number; its range is the caller's."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is a whole number; its range is the caller's."""
    return isinstance(value, int) and not isinstance(value, bool)
