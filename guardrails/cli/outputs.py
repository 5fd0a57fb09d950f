"""Which reports a run writes, and where to: `--format FORMAT`, `--output FILE`, `--output FORMAT:FILE`, any number of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from guardrails import report
from guardrails.cli.program import Mistake
from guardrails.report.tally import listed

STDOUT = "-"
DEFAULT = "text"
_PREFIX = re.compile(r"([A-Za-z][\w-]+):(.*)", re.DOTALL)  # one letter is a drive of Windows


class Output(msgspec.Struct, frozen=True):
    """A report in a format, to a file, or to standard output where `path` is None."""

    form: str
    path: Path | None = None

    @property
    def name(self) -> str:
        """As it is told."""
        return "standard output" if self.path is None else str(self.path)


def asked(form: str | None, given: Sequence[str]) -> tuple[Output, ...]:
    """What `--format` and `--output` ask for. Raises `Mistake` for an unknown format, and for two reports to one place."""
    outputs = [_read(text, form or DEFAULT) for text in given]
    if not outputs or (form and not any(map(_is_plain, given)) and all(one.path for one in outputs)):
        outputs.append(Output(form or DEFAULT))
    places: dict[object, Output] = {}
    for one in outputs:
        if (other := places.setdefault(_place(one), one)) is not one:
            raise Mistake(f"--output: two reports go to {other.name}; give each a place of its own")
    return tuple(outputs)


def written(outputs: Sequence[Output]) -> str:
    """Where the files are, in a sentence; "" where there is none."""
    files = [one.name for one in outputs if one.path is not None]
    return "" if not files else f"The report{'s are' if len(files) > 1 else ' is'} in {listed(files)}."


def _is_plain(text: str) -> bool:
    return _PREFIX.fullmatch(text) is None


def _read(text: str, form: str) -> Output:
    match = _PREFIX.fullmatch(text)
    if match is None:
        return _to(form, text, text)
    if match[1] not in report.FORMATS:
        raise Mistake(f"--output {text}: there is no format {match[1]!r}; use one of {', '.join(report.FORMATS)}, or ./{text} for a file")
    return _to(match[1], match[2], text)


def _to(form: str, place: str, text: str) -> Output:
    if not place:
        raise Mistake(f"--output {text}: it names no file; write {form}:FILE, or {form}:- for standard output")
    return Output(form, None if place == STDOUT else Path(place))


def _place(output: Output) -> object:
    """What two outputs may not share."""
    try:
        return output.path and output.path.resolve()
    except (OSError, RuntimeError):  # a loop of links is told when the report is written
        return output.path
