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
        _tell(mended, len(mended.repaired), len(mended.after), files.refused, "would be repaired")
        return result
    written = [path for path, after in mended.after.items() if files.save(path, mended.before[path], after)]
    count = sum(1 for one in mended.repaired if one.repair is not None and one.repair.at.path in written)
    _tell(mended, count, len(written), files.refused, "repaired")
    return mended.result if len(written) == len(mended.after) else look({})


def _tell(mended: Mended, count: int, files: int, refused: Mapping[str, str], done: str) -> None:
    where = f" in {files} file{'s' if files != 1 else ''}" if files else ""
    more = len(mended.possible)
    unsafe = f" {more} more can be with --unsafe: read what it does." if more else ""
    say(f"{count or 'no'} finding{'s' if count != 1 else ''} {done}{where}.{unsafe}")
    if mended.dropped:
        one = len(mended.dropped) == 1
        first = mended.dropped[0]
        what = "1 repair was" if one else f"{len(mended.dropped)} repairs were"
        why = "the code is written otherwise there, or would still be at fault"
        say(f"{what} left out: {why} ({first.rule} in {first.spot.path}:{first.spot.line}).")
    for path, why in sorted(refused.items()):
        say(f"{path} was left as it is: {why}.")


def difference(mended: Mended, color: bool) -> str:
    """All changes as a unified diff, harmless for a terminal."""
    return "".join(differences.unified(path, mended.before[path], mended.after[path], color) for path in sorted(mended.after))
