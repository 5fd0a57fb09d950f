"""`guardrails check --fix`: repairs what can be mended by machine, or shows what it would do."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from guardrails import lint
from guardrails.cli import differences, output, shown
from guardrails.cli.changing import Files
from guardrails.cli.program import say
from guardrails.cli.progress import Progress
from guardrails.fix.engine import Engine, Mended
from guardrails.report.tally import count
from guardrails.result import Result


def run(request: lint.Request, result: Result, *, unsafe: bool, dry_run: bool) -> Result:
    """Repairs what was found, and says what came of it on stderr; the findings that remain.

    On a dry run the difference goes to standard output, nothing is written, and the findings are those of before.
    """
    files = Files(request.root, result.sources)
    with Progress() as progress:

        def look(contents: Mapping[str, bytes]) -> Result:
            return lint.lint(msgspec.structs.replace(request, contents=contents, watch=lambda words: progress(f"repairing, {words}")))

        mended = Engine(look, files.load, unsafe).run(result)
    if dry_run:
        output.emit(difference(mended, shown.color()), shown.color())
        _tell(mended, len(mended.repaired), len(mended.after), files, "would be repaired")
        return result
    written = [path for path, after in mended.after.items() if files.save(path, after)]
    repaired = sum(1 for one in mended.repaired if one.repair is not None and one.repair.at.path in written)
    _tell(mended, repaired, len(written), files, "repaired")
    return mended.result if len(written) == len(mended.after) else look({})


def _tell(mended: Mended, repaired: int, changed: int, files: Files, done: str) -> None:
    where = f" in {count(changed, 'file')}" if changed else ""
    more = f"{len(mended.possible)}{' more' if repaired else ''}"
    unsafe = f" {more} can be with --unsafe, which may change what the code does: read the difference." if mended.possible else ""
    say(f"{count(repaired, 'finding') if repaired else 'no findings'} {done}{where}.{unsafe}")
    if mended.dropped:
        one = len(mended.dropped) == 1
        first = mended.dropped[0]
        what = "1 repair was" if one else f"{len(mended.dropped)} repairs were"
        why = "the code is written otherwise there, or would still be at fault"
        say(f"{what} left out: {why} ({first.rule} in {first.spot.path}:{first.spot.line}).")
    files.tell()


def difference(mended: Mended, color: bool) -> str:
    """All changes as a unified diff, harmless for a terminal."""
    return "".join(differences.unified(path, mended.before[path], mended.after[path], color) for path in sorted(mended.after))
