"""`guardrails check --fix`: repairs what can be mended by machine, or shows what it would do."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec

from guardrails import lint
from guardrails.cli import output, shown
from guardrails.cli.program import say
from guardrails.cli.progress import Progress
from guardrails.fix.engine import Engine, Mended
from guardrails.lines import Lines
from guardrails.paths import stays_inside
from guardrails.report.ink import Ink
from guardrails.report.safe import visible
from guardrails.result import Result


class Files:
    """The files of a project as repairs may change them. `refused` says of each other file why it is left alone."""

    def __init__(self, root: Path, seen: Mapping[str, bytes]) -> None:
        self._root, self._seen = root, seen
        self.refused: dict[str, str] = {}

    def load(self, path: str) -> bytes | None:
        """The bytes of a file that may be changed, None for another."""
        if path in self.refused:
            return None
        why = self._forbidden(path)
        data = b"" if why else (self._root / path).read_bytes()
        if not why and self._seen.get(path, data) != data:
            why = "it was changed while it was looked at; run again"
        if why:
            self.refused[path] = why
            return None
        return data

    def _forbidden(self, path: str) -> str:
        file = self._root / path
        if not stays_inside(path) or file.is_symlink() or file.resolve() != self._root.resolve() / path:
            return "it is a link, or lies behind one"
        try:
            mode = file.stat().st_mode
        except OSError as error:
            return f"it cannot be read ({(error.strerror or 'error').lower()})"
        if not stat.S_ISREG(mode):
            return "it is no plain file"
        if not mode & 0o222 or not os.access(file, os.W_OK):
            return "it is read-only"
        return "" if os.access(file.parent, os.W_OK) else "its folder is read-only"

    def save(self, path: str, before: bytes, after: bytes) -> bool:
        """Writes a file in one step, with the mode that it has; not where somebody else changed it meanwhile."""
        if self.load(path) is None:
            return False
        file = self._root / path
        if file.read_bytes() != before:
            self.refused[path] = "it was changed while it was looked at; run again"
            return False
        try:
            output.replace(file, after)
        except OSError as error:
            self.refused[path] = f"it cannot be written ({(error.strerror or str(error)).lower()})"
            return False
        return True


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
    ink = Ink(color)
    return "".join(_difference(path, mended.before[path], mended.after[path], ink) for path in sorted(mended.after))


def _difference(path: str, before: bytes, after: bytes, ink: Ink) -> str:
    old, new = (_lines(data) for data in (before, after))
    styles = {"+": "good", "-": "error", "@": "second"}
    found = []
    for index, line in enumerate(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}")):
        text, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
        style = "strong" if index < 2 else styles.get(line[:1], "")
        shown_text = "".join(one if one == "\t" else visible(one) for one in text) if not text.isprintable() else text
        found.append((ink(shown_text, style) if style else shown_text) + "\n" + ("" if end else "\\ No newline at end of file\n"))
    return "".join(found)


def _lines(data: bytes) -> list[str]:
    return Lines(data).decode(data).splitlines(keepends=True)
