"""What is to be done to one file of a project."""

from __future__ import annotations

from typing import Literal

import msgspec

State = Literal["written", "updated", "unchanged", "removed", "left", "refused"]
WRITTEN: tuple[State, ...] = ("written", "updated", "removed")
LINK = " is a link"  # behind the folder
EDITED = "it was changed by hand since guardrails wrote it"


class Change(msgspec.Struct, frozen=True):
    """One file: its bytes now and as they shall be, None for no file, and why it is `left` alone or `refused`.

    `refused` is a reason to write nothing at all; where that is a change by hand, `after` is what --force would write, and `backup`
    is then the name that the old bytes get. `keep` is the number of folders of the path that were there, empty, before us.
    """

    path: str
    before: bytes | None
    after: bytes | None
    state: State
    why: str = ""
    backup: str = ""
    keep: int = 0

    @property
    def is_stale(self) -> bool:
        """Whether the file is not as it shall be."""
        return self.state in WRITTEN or self.state == "refused"
