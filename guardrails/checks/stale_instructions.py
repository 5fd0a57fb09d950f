"""stale-instructions: a file for coding agents names what is not there, or a part of it that was generated is not what it would be."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.instructions import Managed, Named
from guardrails.finding import Finding, Unsure

RULE = "stale-instructions"
WHO = "an agent that follows this file"


def check(said: Named | Managed) -> Iterator[Finding | Unsure]:
    """What stands is silent; what cannot be told is a doubt."""
    if isinstance(said, Managed):
        yield from _managed(said)
    elif said.stands is None:
        yield unsure(said, RULE, f"Whether the project has {_what(said)} could not be told: {_where(said)} reads other files.")
    elif not said.stands:
        instead = f"; {said.like} is there" if said.like else ""
        fix = "Name what is there now, or take the sentence out."
        yield finding(said, RULE, f"{_missing(said)}{instead}, so {WHO} looks in vain.", fix, subject=f"{said.kind} {said.name}")


def _managed(part: Managed) -> Iterator[Finding]:
    block = f"The generated part `{part.name}`"
    if part.fault:
        message, fix = f"Which part of this file is generated cannot be told: {part.fault}.", "Mend the markers, then run guardrails init."
    elif part.is_edited:
        message = f"{block} was changed by hand, so guardrails init leaves it as it is and it goes stale."
        fix = "Move your words out of the markers, then run guardrails init --force, which keeps a backup."
    elif part.is_stale:
        message = f"{block} is not what the project and its rules are now, so {WHO} follows what no longer holds."
        fix = "Run guardrails init."
    else:
        return
    yield finding(part, RULE, message, fix, subject=f"part {part.name}")


def _missing(said: Named) -> str:
    if said.kind in ("file", "folder"):
        return f"{_what(said)} is named here and is not in the project"
    return f"{_what(said)} is named here, and {_where(said)} does not have it"


def _what(said: Named) -> str:
    kinds = {"target": "The make target", "script": "The script", "file": "The file", "folder": "The folder"}
    return f"{kinds[said.kind]} `{said.name}`"


def _where(said: Named) -> str:
    more = f" (nor {len(said.looked_in) - 1} more)" if len(said.looked_in) > 1 else ""
    return f"{said.looked_in[0]}{more}" if said.looked_in else "the project"
