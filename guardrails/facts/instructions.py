"""What the files say that tell coding agents how to work in a project."""

from __future__ import annotations

from typing import Literal

from guardrails.facts import Fact

Kind = Literal["target", "script", "file", "folder"]


class Named(Fact, frozen=True, kw_only=True):
    """A command or a path that such a file names, as it stands there. `stands`: whether the project has it; None cannot be told.

    `looked_in`: the files that declare commands of its kind. `like` is something of the same name that the project has elsewhere.
    """

    kind: Kind
    name: str
    stands: bool | None
    looked_in: tuple[str, ...] = ()
    like: str = ""


class Managed(Fact, frozen=True, kw_only=True):
    """A part of such a file that the linter wrote. `fault` says why nobody can tell where it ends."""

    name: str
    is_edited: bool = False
    is_stale: bool = False
    fault: str = ""
