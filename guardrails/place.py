"""Where something stands in a file."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """A span of a file: `path` relative to the root with `/`, byte offsets from 0, `end` exclusive."""

    path: str
    start: int
    end: int
