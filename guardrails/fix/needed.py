"""What a repair needs beside its place: an import, whose local name stands for `$` in the code that is written."""

from __future__ import annotations

from collections.abc import Mapping

from guardrails.fix import imports
from guardrails.fix.source import Edit, Source

IMPORT = "import"  # the key of the import in a repair's values: no argument has this name


def filled(source: Source, values: Mapping[str, str], offset: int) -> tuple[dict[str, str], tuple[Edit, ...]] | None:
    """The values with names filled in, and the edits that bring these in; None where the name means something else at the offset."""
    line = values.get(IMPORT, "")
    known = imports.known_as(source, imports.parse(line), offset) if line else imports.Known("")
    if known is None:
        return None
    return {name: code.replace("$", known.name) for name, code in values.items() if name != IMPORT}, known.edits
