"""Where something stands in a file."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, order=True):
    """A span of a file: `path` relative to the root with `/`, byte offsets from 0, `end` exclusive."""

    path: str
    start: int
    end: int


class Spot(msgspec.Struct, frozen=True, order=True):
    """A place in lines and columns, both from 1; columns are Unicode code points, the end is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
