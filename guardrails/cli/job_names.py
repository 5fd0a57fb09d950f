"""What was meant by a name or queue that matches no job."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardrails.runtime.store.reading import Reading


def unmatched(reading: Reading, what: str, statuses: Sequence[str], queue: str | None, name: str | None) -> str:
    """That nothing matches what was asked for, and what is near to a name that nothing here has."""
    known = reading.names()
    if not known:
        return f"No {what} is kept here."
    given = [
        ("status", ",".join(statuses) or None, ()),
        ("queue", queue, {kept for _, kept in known}),
        ("name", name, {kept for kept, _ in known}),
    ]
    asked = " ".join(f"--{option} {value}" for option, value, _ in given if value is not None)
    meant = " ".join(f"--{option} {near}" for option, value, there in given if value is not None for near in _near(value, there))
    return f"No {what} matches {asked}.{f' Did you mean {meant}?' if meant else ''}"


def _near(value: str, there: Collection[str]) -> Iterator[str]:
    if value not in there:
        yield from get_close_matches(value, sorted(there), n=1)
