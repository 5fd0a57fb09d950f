"""What a repair needs beside its place: an import, whose local name stands for `$` in the code that is written."""

from __future__ import annotations

from guardrails.finding import Repair
from guardrails.fix import imports
from guardrails.fix.source import Edit, Source


def filled(source: Source, repair: Repair) -> tuple[dict[str, str], tuple[Edit, ...]] | None:
    """The values with the name filled in, and the edits that bring it in; None where the name means something else at the place."""
    known = imports.known_as(source, imports.parse(repair.needs), repair.at.start) if repair.needs else imports.Known("$")
    if known is None:
        return None
    return {name: code.replace("$", known.name) for name, code in repair.values.items()}, known.edits
