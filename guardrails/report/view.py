"""How a result is to be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from guardrails.rulebook import Rule


class View(msgspec.Struct, frozen=True):
    """`every`: all findings in full. `again` is the command to repeat in hints, `status` the exit status of the run;
    `statistics`: with counts of what was found; `mends`: files on disk were looked at, so `--fix` could mend them."""

    rules: Mapping[str, Rule] = {}
    color: bool = False
    columns: int = 100
    every: bool = False
    show_unknown: bool = False
    again: str = "guardrails check"
    status: int = 0
    statistics: bool = False
    mends: bool = False


_SENTENCE = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)\s+(?=[^a-z\s])")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(?<![\w*`])(\*{1,2})(?=\S)([^*`]+)(?<=\S)\1(?![\w*`])")


def first_sentence(prose: str) -> str:
    """The first sentence of a Markdown text, without links and emphasis."""
    paragraph = prose.strip().split("\n\n", 1)[0]
    plain = _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", " ".join(paragraph.split())))
    return _SENTENCE.split(plain, maxsplit=1)[0]
